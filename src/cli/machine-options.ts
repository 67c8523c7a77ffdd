/**
 * The options that say what machine to build and how its time passes: the same for run, record and
 * gdb. Parsing alone; nothing here reads a file.
 */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES, type EngineKind } from '../cpu/engine/engine.js';
import { CPU_LEVELS, CPU_VENDORS, type CpuLevel, type CpuVendor } from '../cpu/model.js';
import { DEFAULT_CPU } from '../machine/machine-options.js';
import { VMI_DIALECTS, type VmiDialect } from '../replay/trace-header.js';
import { IRET_SCHEMES, type IretScheme } from '../vmi/iret-stubs.js';

/** Where guest time and timer interrupts come from. */
export type ClockChoice = 'virtual' | 'host' | 'random';

/** The value of --engine that runs both engines side by side. */
export const LOCKSTEP = 'lockstep';

/** What `addMachineOptions` puts into a command's options, as commander names them. */
export interface MachineOptions {
  /** RAM in bytes, a multiple of 4096. */
  readonly memory: number;
  readonly cmdline?: string;
  /** The path of a file that the loader hands to the kernel: first module, or initial ramdisk. */
  readonly initrd?: string;
  readonly clock: ClockChoice;
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Retired instructions after which the run ends; Infinity where none were asked for. */
  readonly maxInstructions: number;
  readonly serial: 'stdio' | 'null';
  readonly engine: EngineKind;
  /** Physical address at which a flat binary is loaded and entered. */
  readonly address?: number;
  /** The path of a ROM to start with, in place of an image. */
  readonly bios?: string;
  readonly apic?: true;
  readonly cpu?: CpuLevel;
  readonly cpuVendor?: CpuVendor;
  /** `none` where absent. */
  readonly vmi?: 'none' | VmiDialect;
  readonly vmiIret?: IretScheme;
  readonly tracePorts?: true;
  /** Whether a trace of the run holds its images, or names them. Inside where absent. */
  readonly images?: 'inside' | 'outside';
}

const MIB = 1 << 20;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1 << 10, m: MIB, g: 1 << 30 };
const MEMORY_LEAST = MIB;
const MEMORY_MOST = 2048 * MIB;

/**
 * Bytes from `64M`, `65536K`, `1G` or a plain number of bytes.
 * @throws InvalidArgumentError unless it is a multiple of 4 KiB between 1 MiB and 2 GiB.
 */
export function parseMemory(text: string): number {
  const bytes = parseSize(text);
  if (bytes < MEMORY_LEAST || bytes > MEMORY_MOST || bytes % 4096 !== 0) {
    throw new InvalidArgumentError('Give a multiple of 4K between 1M and 2G.');
  }
  return bytes;
}

/**
 * Bytes of host memory, as `parseMemory` reads them, but of any number from 1 MiB on.
 * @throws InvalidArgumentError
 */
export function parseBudget(text: string): number {
  const bytes = parseSize(text);
  if (bytes < MIB) throw new InvalidArgumentError('Give 1M or more.');
  return bytes;
}

function parseSize(text: string): number {
  const match = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('Give a size such as 64M or 1G.');
  return Number(match[1]) * UNITS[match[2].toLowerCase()];
}

/** A whole number from decimal digits, which `_` may group. @throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const count = /^\d+(_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('Give a whole number, for example 3000000 or 3_000_000.');
  }
  return count;
}

/** As `parseCount`, and at least 1. @throws InvalidArgumentError. */
export function parsePositiveCount(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('Give a number of at least 1.');
  return count;
}

/** A seed: 0 to 2^32 - 1. @throws InvalidArgumentError. */
export function parseSeed(text: string): number {
  const seed = parseCount(text);
  if (seed > 0xffffffff) throw new InvalidArgumentError('Give a number from 0 to 4294967295.');
  return seed;
}

/** A physical address, `0x100000` or decimal. @throws InvalidArgumentError. */
export function parseAddress(text: string): number {
  const address = /^(0x[\da-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(address <= 0xffffffff)) {
    throw new InvalidArgumentError('Give an address such as 0x100000.');
  }
  return address;
}

/** A processor by its number. @throws InvalidArgumentError. */
export function parseCpu(text: string): CpuLevel {
  const level = CPU_LEVELS.find((each) => String(each) === text);
  if (level === undefined) throw new InvalidArgumentError(`Give one of ${CPU_LEVELS.join(', ')}.`);
  return level;
}

/** For every verb that runs a machine. */
export function tracePortsOption(): Option {
  return new Option('--trace-ports', 'print writes to unknown ports, and to 0x80, on stderr');
}

/** How the processor is run: nothing that a guest or a trace could tell. */
export function engineOption(): Option {
  return new Option(
    '--engine <engine>',
    'compile hot code, interpret everything, or compile everything',
  )
    .choices(ENGINES)
    .default('auto');
}

/** As `engineOption`, for verbs that can also run both engines and compare them. */
export function comparedEngineOption(): Option {
  return new Option(
    '--engine <engine>',
    'compile hot code, interpret everything, compile everything, or two of these to compare',
  )
    .choices([...ENGINES, LOCKSTEP])
    .default('auto');
}

/**
 * Adds the machine options to a verb, defaults included.
 * @param engine the option that chooses it.
 */
export function addMachineOptions(command: Command, engine = engineOption()): Command {
  return command
    .addOption(
      new Option('--memory <size>', 'RAM of the machine')
        .argParser(parseMemory)
        .default(64 * MIB, '64M'),
    )
    .option('--cmdline <text>', 'command line of a Multiboot or Linux kernel')
    .option('--initrd <file>', "a Multiboot kernel's first module, or Linux's initial ramdisk")
    .addOption(
      new Option('--clock <source>', 'where time and timer interrupts come from')
        .choices(['virtual', 'host', 'random'])
        .default('virtual'),
    )
    .addOption(new Option('--seed <n>', 'seed of the random clock').argParser(parseSeed).default(1))
    .addOption(
      new Option('--max-instructions <n>', 'stop after this many retired instructions')
        .argParser(parsePositiveCount)
        .default(Number.POSITIVE_INFINITY, 'no limit'),
    )
    .addOption(
      new Option('--serial <where>', "COM1: this process's stdin and stdout, or nowhere")
        .choices(['stdio', 'null'])
        .default('stdio'),
    )
    .addOption(engine)
    .addOption(
      new Option('--address <address>', 'load a flat binary here and enter it').argParser(
        parseAddress,
      ),
    )
    .option('--bios <file>', 'ROM to start with in real mode, in place of an image')
    .option('--apic', 'give the processor a local APIC')
    .addOption(
      new Option('--cpu <level>', `which processor there is: ${CPU_LEVELS.join(', ')}`)
        .argParser(parseCpu)
        .default(DEFAULT_CPU),
    )
    .addOption(
      new Option(
        '--cpu-vendor <vendor>',
        'whose processor it is: its name, and the rules they differ in',
      )
        .choices(CPU_VENDORS)
        .default('intel'),
    )
    .addOption(
      new Option('--vmi <dialect>', 'the hypervisor under a kernel that is made for it')
        .choices(['none', ...VMI_DIALECTS])
        .default('none'),
    )
    .addOption(
      new Option('--vmi-iret <scheme>', 'how its IRET copes with what arrives meanwhile')
        .choices(IRET_SCHEMES)
        .default('rollforward'),
    )
    .addOption(tracePortsOption());
}
