/** From options, or from a trace's header, to a machine with its image loaded. */
import { basename } from 'node:path';
import { type LoadedImage, loadImage } from '../machine/loaders/image.js';
import { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import { describeDamage } from '../replay/trace-damage.js';
import type { Trace, TraceImage, TraceStart } from '../replay/trace-format.js';
import type { MachineOptions } from './machine-options.js';
import { holdoffVersion } from './package-root.js';
import { readInput } from './trace-file.js';

/** A machine whose image is loaded, at instant 0. */
export interface ReadyMachine {
  readonly machine: Machine;
  readonly image: LoadedImage;
}

/**
 * Reads the files that the options name: what a trace of the run starts with.
 * @throws UserError where one cannot be read.
 */
export function startFromOptions(path: string, options: MachineOptions): TraceStart {
  const images: TraceImage[] = [{ name: basename(path), role: 'kernel', bytes: readInput(path) }];
  if (options.initrd !== undefined) {
    const bytes = readInput(options.initrd);
    images.push({ name: basename(options.initrd), role: 'initrd', bytes });
  }
  return {
    holdoffVersion: holdoffVersion(),
    machine: {
      memoryBytes: options.memory,
      clock: options.clock,
      seed: options.seed,
      cmdline: options.cmdline ?? null,
    },
    images,
    loadAddress: options.address ?? null,
  };
}

/**
 * What a trace starts with, its images included.
 * @throws UserError where an image is damaged or missing.
 */
export function startFromTrace(trace: Trace, path: string): TraceStart {
  const images = trace.header.images.map((entry, place): TraceImage => {
    const image = trace.image(place);
    if (image.isWhole) return { name: entry.name, role: entry.role, bytes: image.value };
    throw new UserError(`${path} is damaged: ${describeDamage(image.damage)}; record it again`);
  });
  return { ...trace.header, images };
}

/**
 * Builds the machine and loads its image.
 * @throws UserError where the image is broken, foreign or too large.
 */
export function setUp(start: TraceStart): ReadyMachine {
  const kernel = start.images.find((image) => image.role === 'kernel');
  if (kernel === undefined) throw new UserError('the trace holds no kernel; record it again');
  const initrd = start.images.find((image) => image.role === 'initrd');
  const { memoryBytes, cmdline } = start.machine;
  const machine = new Machine({ memoryBytes });
  const image = loadImage(machine, kernel, {
    ...(cmdline === null ? {} : { cmdline }),
    ...(initrd === undefined ? {} : { initrd: initrd.bytes }),
    ...(start.loadAddress === null ? {} : { address: start.loadAddress }),
  });
  return { machine, image };
}
