/**
 * One stream of random instructions: run step by step with all that must hold looked at after each;
 * every second one again in another way, which must come out the same.
 */
import type { CpuBus } from '../../src/cpu/bus.js';
import { Cpu, type CpuOptions } from '../../src/cpu/cpu.js';
import { Choices } from './choices.js';
import {
  anyCourse,
  atOnce,
  type Course,
  underObservation,
  withoutCaches,
  withRestores,
} from './drive.js';
import { RAM_BYTES } from './layout.js';
import { Outcome } from './outcome.js';
import { StepChecker, type Tally } from './step-checker.js';
import { World } from './world.js';

/** Which processor a stream runs on: its seed says. */
const AMD: CpuOptions = { level: 686, vendor: 'amd' };
const INTEL_686: CpuOptions = { level: 686 };
const MODELS: readonly CpuOptions[] = [
  ...[INTEL_686, INTEL_686, INTEL_686, INTEL_686, AMD],
  ...([{ level: 586 }, { level: 486 }, { level: 386 }] as const),
];
/** One stream in so many is run compiled: that takes as long as running dozens otherwise. */
const COMPILED_ONE_IN = 256;
const PAGE = 0x1000;

/** What is read where there is nothing: anything, but always the same. */
function unmapped(address: number, size: number): number {
  const value = Math.imul(address ^ (address >>> 9), 0x9e3779b1);
  if (size === 4) return value;
  return (value >>> 11) & (size === 2 ? 0xffff : 0xff);
}

/** A processor with one source of interrupts: the x87's errors, some ports, and what its course says. */
export function makeCpu(options: CpuOptions): Cpu {
  const bus: CpuBus = {
    readPort: unmapped,
    writePort: (port) => {
      if ((port & 7) === 0) cpu.setInterruptLine(true);
    },
    acknowledgeInterrupt: () => {
      cpu.setInterruptLine(false);
      return 0x20;
    },
    readTimestamp: () => cpu.instant,
    setNumericError: (isPending) => {
      if (isPending) cpu.setInterruptLine(true);
    },
  };
  const cpu: Cpu = new Cpu(RAM_BYTES, { read: unmapped, write: () => undefined }, bus, options);
  return cpu;
}

/** Runs one stream after the other, on processors that are made once. */
export class StreamRunner {
  readonly tally: Tally = { streams: 0, steps: 0, faults: 0, shutdowns: 0, halts: 0, compiled: 0 };
  readonly #checkers = new Map<CpuOptions, StepChecker>();
  readonly #compilers = new Map<CpuOptions, Cpu>();
  readonly #start = Buffer.alloc(RAM_BYTES);
  readonly #end = new Outcome();

  /**
   * Runs the stream of a seed.
   * @returns what went wrong, or null. What a processor of ours should never throw is reported too.
   */
  run(seed: number): string | null {
    this.tally.streams += 1;
    try {
      return this.#run(seed);
    } catch (thrown) {
      return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
  }

  #run(seed: number): string | null {
    const choices = new Choices(seed);
    const model = choices.pick(MODELS);
    const checker = this.#checkerOf(model);
    const { cpu } = checker;
    new World(cpu, choices).make();
    const course = anyCourse(choices);
    this.#start.set(cpu.core.physical.ram);
    const state = cpu.save();
    const problem = checker.run(course);
    if (problem !== null) return problem;
    this.#end.take(cpu);
    if (choices.oneIn(2)) {
      this.#rewind(cpu, state);
      const difference = this.#end.compare(runAgain(cpu, course, choices), cpu);
      if (difference !== null) return difference;
    }
    return choices.oneIn(COMPILED_ONE_IN) ? this.#runCompiled(model, state, course) : null;
  }

  /** What the first run has compiled, the second enters. */
  #runCompiled(model: CpuOptions, state: Uint8Array, course: Course): string | null {
    this.tally.compiled += 1;
    const cpu = this.#compilerOf(model);
    // Writes of the streams before this one shall not keep its code from being compiled.
    cpu.reset();
    for (const how of ['while compiling', 'compiled']) {
      this.#rewind(cpu, state);
      atOnce(cpu, course);
      const difference = this.#end.compare(how, cpu);
      if (difference !== null) return difference;
    }
    return null;
  }

  #checkerOf(model: CpuOptions): StepChecker {
    let checker = this.#checkers.get(model);
    if (checker === undefined) {
      checker = new StepChecker(makeCpu({ ...model, engine: 'interpreter' }), this.tally);
      this.#checkers.set(model, checker);
    }
    return checker;
  }

  /** A processor that compiles what it meets the second time. */
  #compilerOf(model: CpuOptions): Cpu {
    let cpu = this.#compilers.get(model);
    if (cpu === undefined) {
      cpu = makeCpu({ ...model, hotEntries: 1 });
      this.#compilers.set(model, cpu);
    }
    return cpu;
  }

  /** Pages that are as they were keep their decoded code. */
  #rewind(cpu: Cpu, state: Uint8Array): void {
    const { physical } = cpu.core;
    for (let at = 0; at < RAM_BYTES; at += PAGE) {
      if (this.#start.compare(physical.ram, at, at + PAGE, at, at + PAGE) !== 0) {
        physical.load(at, this.#start.subarray(at, at + PAGE));
      }
    }
    cpu.restore(state);
  }
}

/** @returns in which way. */
function runAgain(cpu: Cpu, course: Course, choices: Choices): string {
  switch (choices.below(8)) {
    case 0:
      withoutCaches(cpu, course);
      return 'with caches dropped';
    case 1:
      underObservation(cpu, course, choices);
      return 'under observation';
    case 2:
      withRestores(cpu, course, choices);
      return 'saved and restored';
    default:
      atOnce(cpu, course);
      return 'in one run';
  }
}
