/**
 * Where two runs of one guest part. They are the same up to one event; what the event interrupts is
 * compared instruction by instruction, with the way from its delivery to its return left out, since that
 * lies at another place in either run.
 */
import {
  EFLAGS_AF,
  EFLAGS_CF,
  EFLAGS_OF,
  EFLAGS_PF,
  EFLAGS_SF,
  EFLAGS_ZF,
  readEflags,
} from '../cpu/eflags.js';
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

const STATUS_FLAGS = EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF;
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

/**
 * The first instruction behind the delivery of the event that makes the handler go another way, for runs in
 * which the interrupted code does not come back: the one that set the flags where a branch went by them.
 * Null where the handlers do the same up to their return. Registers are of no account, since a frame has
 * other contents wherever the event comes.
 * @param events as for `firstDifference`.
 */
export function handlerDifference(
  good: BaseRun,
  bad: BaseRun,
  events: { readonly good: Instant; readonly bad: Instant },
): FirstDifference | null {
  const ours = new Handler(good);
  const theirs = new Handler(bad);
  if (!ours.enter(events.good) || !theirs.enter(events.bad)) return null;
  let flagged: FirstDifference | null = null;
  for (let steps = 0; steps < STEPS_MOST; steps++) {
    const difference = { good: ours.next(), bad: theirs.next() };
    if (difference.good === null || difference.bad === null) return null;
    const found = { good: difference.good, bad: difference.bad };
    const [a, b] = [found.good.after, found.bad.after];
    if (a['eip'] !== b['eip'] || a['cpl'] !== b['cpl']) return flagged ?? found;
    if (((a['eflags'] ^ b['eflags']) & STATUS_FLAGS) === 0) flagged = null;
    else flagged ??= found;
  }
  return null;
}

/** The instructions of one run from an event's delivery to the return from it. */
class Handler {
  readonly #run: BaseRun;
  #interrupted: Interrupted | null = null;

  constructor(run: BaseRun) {
    this.#run = run;
  }

  /** Goes to where an event that comes at an instant has just been delivered. */
  enter(at: Instant): boolean {
    if (!this.#run.seek(at)) return false;
    for (let steps = 0; steps < STEPS_MOST; steps++) {
      const executed = execute(this.#run);
      if (executed === null) return false;
      if (!executed.isDelivery) continue;
      this.#interrupted = interruptedBy(executed);
      return true;
    }
    return false;
  }

  /** The next instruction; null at the return, and at the end of the run. */
  next(): ExecutedInstruction | null {
    const executed = execute(this.#run);
    if (executed === null || isBack(this.#run.machine, this.#interrupted!)) return null;
    return executed;
  }
}

/** Where an event interrupts. */
interface Interrupted {
  readonly eip: number;
  readonly cpl: number;
  readonly esp: number;
}

function interruptedBy({ boundary, before }: ExecutedInstruction): Interrupted {
  return { eip: boundary.eip, cpl: boundary.cpl, esp: before['esp'] };
}

function isBack({ cpu }: Machine, { eip, cpl, esp }: Interrupted): boolean {
  const { state } = cpu.core;
  return state.eip >>> 0 === eip && state.cpl === cpl && state.esp >>> 0 === esp;
}

/** Takes one step; null at the end of the run. */
function execute(run: BaseRun): (ExecutedInstruction & { readonly isDelivery: boolean }) | null {
  const { machine } = run;
  const boundary = boundaryOf(machine);
  const before = registersOf(machine);
  const { retired } = machine.cpu;
  if (!run.step()) return null;
  // An iteration of a REP retires nothing either, but stays where it is.
  const isDelivery =
    machine.cpu.retired === retired && machine.cpu.core.state.eip >>> 0 !== boundary.eip;
  return { boundary, before, after: registersOf(machine), isDelivery };
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
    for (;;) {
      const executed = execute(this.#run);
      if (executed === null) return null;
      const { boundary, isDelivery } = executed;
      if (!isDelivery || this.#hasSkipped || boundary.at < this.#eventAt) return executed;
      this.#hasSkipped = true;
      if (!this.#return(interruptedBy(executed))) return null;
    }
  }

  /** Goes on to where the interrupted code goes on. */
  #return(interrupted: Interrupted): boolean {
    for (let steps = 0; steps < STEPS_MOST; steps++) {
      if (isBack(this.#run.machine, interrupted)) return true;
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
