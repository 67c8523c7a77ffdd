/** From options, or from what a trace starts with, to a machine with its image loaded. */
import { basename } from 'node:path';
import type { EngineKind } from '../cpu/engine/engine.js';
import { loadBios } from '../machine/loaders/bios.js';
import { type LoadedImage, loadImage } from '../machine/loaders/image.js';
import { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import { applyRecord, type CheckpointRecord } from '../replay/checkpoint-record.js';
import { StateDigest } from '../replay/digest.js';
import type { TraceImage, TraceStart } from '../replay/trace-format.js';
import type { ImageRole } from '../replay/trace-header.js';
import type { Hypervisor } from '../vmi/hypervisor.js';
import { installInline } from '../vmi/install.js';
import type { NamedCode } from '../vmi/region-symbols.js';
import { installRom } from '../vmi/rom/install-rom.js';
import type { MachineOptions } from './machine-options.js';
import { holdoffVersion, packagePath } from './package-root.js';
import { readInput } from './trace-file.js';
import { hypervisorCode } from './trace-symbols.js';

/** The ROM of `--vmi rom`, in the package. */
const VMI_ROM = 'guest/vmi-rom/vmi-rom.bin';

/** A machine whose image is loaded, at the first instant. */
export interface ReadyMachine {
  readonly machine: Machine;
  /** Its symbols are the kernel's and the hypervisor's. */
  readonly image: LoadedImage;
  readonly hypervisor: Hypervisor | null;
  /** The hypervisor's code where this kernel seems to have it. */
  readonly hypervisorCode: NamedCode | null;
}

/**
 * The path of what a run starts with: the image that was named, or else the ROM of `--bios`.
 * @throws UserError where there is neither, or both.
 */
export function startPath(image: string | undefined, options: MachineOptions): string {
  const { bios } = options;
  if (image !== undefined && bios !== undefined) {
    throw new UserError(
      `${image} and --bios ${bios}: a run starts with one of them; leave one out`,
    );
  }
  const path = image ?? bios;
  if (path === undefined)
    throw new UserError('no image to run; name a kernel, or give --bios FILE');
  return path;
}

/**
 * Reads the files that the options name: what a trace of the run starts with.
 * @param image where it is undefined, `--bios` says what to run.
 * @throws UserError where one cannot be read, or an option is for kernels alone.
 */
export function startFromOptions(image: string | undefined, options: MachineOptions): TraceStart {
  const path = startPath(image, options);
  const role = options.bios === undefined ? 'kernel' : 'bios';
  if (role === 'bios') refuseKernelOptions(path, options);
  const images = [imageFrom(path, role, options)];
  if (options.initrd !== undefined) images.push(imageFrom(options.initrd, 'initrd', options));
  if (options.vmi === 'rom') {
    images.push({
      name: basename(VMI_ROM),
      role: 'vmi-rom',
      bytes: readInput(packagePath(VMI_ROM)),
    });
  }
  return {
    holdoffVersion: holdoffVersion(),
    machine: {
      memoryBytes: options.memory,
      clock: options.clock,
      seed: options.seed,
      cmdline: options.cmdline ?? null,
      ...(options.apic === true ? { apic: true } : {}),
      ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
      ...(options.cpuVendor === undefined ? {} : { cpuVendor: options.cpuVendor }),
      ...(options.vmi === undefined || options.vmi === 'none'
        ? {}
        : { vmi: options.vmi, vmiIret: options.vmiIret ?? 'rollforward' }),
    },
    images,
    loadAddress: options.address ?? null,
  };
}

function imageFrom(path: string, role: ImageRole, { images }: MachineOptions): TraceImage {
  const image = { name: basename(path), role, bytes: readInput(path) };
  return images === 'outside' ? { ...image, outsidePath: path } : image;
}

function refuseKernelOptions(path: string, options: MachineOptions): void {
  const given = (['cmdline', 'initrd', 'address'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (options.vmi !== undefined && options.vmi !== 'none') {
    throw new UserError(`${path} is a ROM, and --vmi is for kernels alone; leave it out`);
  }
  if (given === undefined) return;
  throw new UserError(`${path} is a ROM, and --${given} is for kernels alone; leave it out`);
}

/**
 * Builds the machine and loads its image; of a trace that starts later, brings it to where that is.
 * @throws UserError where the image is broken, foreign or too large, or the trace's first state is not one
 *   of this machine.
 */
export function setUp(start: TraceStart, engine: EngineKind = 'auto'): ReadyMachine {
  const ready = load(start, engine);
  if (start.checkpoint !== undefined) beginAt(ready.machine, start.checkpoint);
  return ready;
}

function beginAt(machine: Machine, checkpoint: CheckpointRecord): void {
  let problem: string | null = null;
  try {
    applyRecord(machine, checkpoint);
    if (new StateDigest(machine).compute() !== checkpoint.digest) problem = 'it has another digest';
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  if (problem === null) return;
  throw new UserError(
    `the state that the trace starts with is none of this machine (${problem}); use the holdoff that wrote it`,
  );
}

function load(start: TraceStart, engine: EngineKind): ReadyMachine {
  const { cmdline } = start.machine;
  const machine = new Machine({ ...start.machine, engine });
  const bios = start.images.find((image) => image.role === 'bios');
  if (bios !== undefined) {
    return { machine, image: loadBios(machine, bios), hypervisor: null, hypervisorCode: null };
  }
  const kernel = start.images.find((image) => image.role === 'kernel');
  if (kernel === undefined) throw new UserError('the trace holds no kernel; record it again');
  const initrd = start.images.find((image) => image.role === 'initrd');
  const image = loadImage(machine, kernel, {
    ...(cmdline === null ? {} : { cmdline }),
    ...(initrd === undefined ? {} : { initrd: initrd.bytes }),
    ...(start.loadAddress === null ? {} : { address: start.loadAddress }),
  });
  const { vmi, vmiIret = 'rollforward' } = start.machine;
  const hypervisor =
    vmi === undefined
      ? null
      : vmi === 'inline'
        ? installInline(machine, kernel, image, vmiIret)
        : installRom(machine, vmiRom(start), vmiIret, warn);
  const rom = vmi === 'rom' ? vmiRom(start) : null;
  const codes = hypervisorCode(image.symbols, start.machine, rom);
  const symbols = image.symbols.with(codes.flatMap((code) => code.symbols));
  return {
    machine,
    image: { ...image, symbols },
    hypervisor,
    hypervisorCode: codes.at(0) ?? null,
  };
}

function vmiRom(start: TraceStart): TraceImage {
  const rom = start.images.find((image) => image.role === 'vmi-rom');
  if (rom === undefined) throw new UserError('the trace holds no VMI ROM; record it again');
  return rom;
}

function warn(text: string): void {
  process.stderr.write(`holdoff: ${text}\n`);
}
