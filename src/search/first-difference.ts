/**
 * Where two runs of one guest part. They are the same up to one event; what the event interrupts is
 * compared instruction by instruction, with the way from its delivery to its return left out, since that
 * lies at another place in either run.
 */
import { readEflags } from '../cpu/eflags.js';
import type { Machine } from '../machine/machine.js';
import { StateDigest } from '../replay/digest.js';
import type { Instant } from '../replay/instant.js';
import type { BaseRun } from './base-run.js';
import { type Boundary, boundaryOf } from './boundary.js';

/** Registers between two instructions, by name; unsigned. */
export type Registers = Readonly<Record<string, number>>;

/** One instruction as one run executes it. */
export interface ExecutedInstruction {
  readonly boundary: Boundary;
  readonly before: Registers;
  readonly after: Registers;
}

/** The first instruction that does something else in the other run. */
export interface FirstDifference {
  readonly good: ExecutedInstruction;
  readonly bad: ExecutedInstruction;
}

const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
/** Runs are compared for so long. */
const STEPS_MOST = 300_000;

/** The first instant at which the states of two runs differ; null where they don't. Both are left there. */
export function firstParting(a: BaseRun, b: BaseRun, from: Instant): Instant | null {
  if (!a.seek(from) || !b.seek(from)) return null;
  const digests = [a, b].map(({ machine }) => new StateDigest(machine));
  for (let steps = 0; steps < STEPS_MOST; steps++) {
    const [first, second] = digests.map((digest) => digest.compute());
    if (first !== second) return a.instant;
    if (!a.step() || !b.step()) return null;
  }
  return null;
}

/**
 * The first instruction whose result differs. Both runs must be at states that are equal but for the
 * event.
 * @param events when the event comes in the good run (null: it doesn't), and in the bad one.
 */
export function firstDifference(
  good: BaseRun,
  bad: BaseRun,
  events: { readonly good: Instant | null; readonly bad: Instant },
): FirstDifference | null {
  const streams = [new Stream(good, events.good), new Stream(bad, events.bad)];
  for (let steps = 0; steps < STEPS_MOST; steps++) {
    const [ours, theirs] = streams.map((stream) => stream.next());
    if (ours === null || theirs === null) return null;
    if (!isSame(ours, theirs)) return { good: ours, bad: theirs };
  }
  return null;
}

/** The instructions of one run, without those between the event's delivery and its return. */
class Stream {
  readonly #run: BaseRun;
  readonly #eventAt: Instant;
  #hasSkipped = false;

  constructor(run: BaseRun, eventAt: Instant | null) {
    this.#run = run;
    this.#eventAt = eventAt ?? Number.POSITIVE_INFINITY;
  }

  next(): ExecutedInstruction | null {
    const { machine } = this.#run;
    for (;;) {
      const boundary = boundaryOf(machine);
      const before = registersOf(machine);
      const { retired } = machine.cpu;
      if (!this.#run.step()) return null;
      // An iteration of a REP retires nothing either, but stays where it is.
      const isDelivery =
        machine.cpu.retired === retired && machine.cpu.core.state.eip >>> 0 !== boundary.eip;
      if (!isDelivery || this.#hasSkipped || boundary.at < this.#eventAt) {
        return { boundary, before, after: registersOf(machine) };
      }
      this.#hasSkipped = true;
      if (!this.#return(boundary, before['esp'])) return null;
    }
  }

  /** Goes on to where the interrupted code goes on. */
  #return(interrupted: Boundary, esp: number): boolean {
    const { machine } = this.#run;
    for (let steps = 0; steps < STEPS_MOST; steps++) {
      const { state } = machine.cpu.core;
      const isBack =
        state.eip >>> 0 === interrupted.eip &&
        state.cpl === interrupted.cpl &&
        state.esp >>> 0 === esp;
      if (isBack) return true;
      if (!this.#run.step()) return false;
    }
    return false;
  }
}

function isSame(a: ExecutedInstruction, b: ExecutedInstruction): boolean {
  if (a.boundary.linear !== b.boundary.linear) return false;
  return Object.entries(a.after).every(([name, value]) => b.after[name] === value);
}

function registersOf({ cpu }: Machine): Registers {
  const { state } = cpu.core;
  return {
    ...Object.fromEntries(NAMES.map((name, index) => [name, state.reg32(index) >>> 0])),
    eip: state.eip >>> 0,
    eflags: readEflags(state) >>> 0,
    cpl: state.cpl,
  };
}
