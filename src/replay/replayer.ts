/**
 * Runs a machine through a recorded past: injects each input at its instant, answers clock reads, and
 * compares every effect and digest as it comes.
 *
 * The state of an instant is the one with all inputs of that instant injected, so that an interrupt
 * that is pending at a boundary is seen there. An injected exception is a step of its own: it belongs
 * to the way from its instant to the next.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine, MachineExit, MachineObserver } from '../machine/machine.js';
import { StateDigest } from './digest.js';
import { type Divergence, describeEvent, type Subsystem, subsystemOf } from './divergence.js';
import type { AcceptEvent, DigestEvent, EndEvent, ShimEvent, TraceEvent } from './event.js';
import type { EventCursor } from './event-cursor.js';
import { formatInstant, type Instant } from './instant.js';
import type { Outcome } from './outcome.js';

/**
 * Why a replay stopped. `until`: at the instant asked for. `breakpoint`, `stopped`: as `Cpu.run` says.
 * `end`: nothing more was recorded, see `outcome`. `divergence`: see there.
 */
export type ReplayExit = 'until' | 'breakpoint' | 'stopped' | 'end' | 'divergence';

/** How far one look ahead in the events goes. */
const LOOK_AHEAD = 64;

/** Replays onto one machine, which must be in the state that the cursor's position belongs to. */
export class Replayer implements MachineObserver {
  /**
   * The last instant that the recording covers, where its events have no end: a replay stops there with
   * outcome `incomplete`. A timeline that still grows moves it.
   */
  lastInstant: Instant;
  readonly #machine: Machine;
  readonly #cursor: EventCursor;
  readonly #digest: StateDigest;
  /** Those whose digests were found right, and need not be compared when they come by again. */
  readonly #verified = new WeakSet<TraceEvent>();
  #injectedLine = -1;
  #eventsTaken = 0;
  #divergence: Divergence | null = null;
  #end: EndEvent | null = null;
  #isAtOpenEnd = false;

  constructor(machine: Machine, cursor: EventCursor, lastInstant: Instant) {
    this.#machine = machine;
    this.#cursor = cursor;
    this.#digest = new StateDigest(machine);
    this.lastInstant = lastInstant;
  }

  /** The first difference, or null. After one, the replay is over until `rewound`. */
  get divergence(): Divergence | null {
    return this.#divergence;
  }

  /** How the recording ended, once the replay has come there. */
  get outcome(): Outcome | null {
    return this.#end?.outcome ?? (this.#isAtOpenEnd ? { kind: 'incomplete' } : null);
  }

  /** Becomes the machine's observer and clock. */
  attach(): void {
    this.#machine.observer = this;
    this.#machine.requestClock = (source) => this.#answerClock(source);
  }

  /** To be called when machine and cursor were put back to an earlier state. */
  rewound(): void {
    this.#divergence = null;
    this.#end = null;
    this.#isAtOpenEnd = false;
  }

  /** The machine's present state is the one with this digest. */
  isAt(digest: string): boolean {
    return this.#digest.compute() === digest;
  }

  /**
   * Runs until the instant, whose inputs are then injected, or stops earlier for a reason.
   * @param skipBreakpointHere don't stop for a breakpoint at the present EIP.
   */
  advance(until: Instant, skipBreakpointHere = false): ReplayExit {
    const { cpu } = this.#machine;
    let skip = skipBreakpointHere;
    while (this.#settle()) {
      const start = cpu.instant;
      if (start >= until) return 'until';
      if (this.#injectException()) {
        skip = false;
        continue;
      }
      const exit = this.#machine.run(this.#target(until), skip);
      if (cpu.instant !== start) skip = false;
      if (exit === 'until') continue;
      const taken = this.#eventsTaken;
      if (!this.#settle()) break;
      if (exit === 'breakpoint' || exit === 'stopped') return exit;
      // What arrived at a halted processor may have woken it; if it hasn't, this comes back.
      if (exit === 'halted' && (cpu.instant >= until || this.#eventsTaken !== taken)) continue;
      this.#stray(exit);
    }
    return this.#divergence === null ? 'end' : 'divergence';
  }

  irqRaised(line: number): void {
    if (line === this.#injectedLine) return;
    const at = this.#machine.cpu.instant;
    const event = this.#expect({ kind: 'irq', at, line, isInput: false });
    if (event !== null && (event.kind !== 'irq' || event.isInput || event.line !== line)) {
      this.#differ(event, { kind: 'irq', at, line, isInput: false });
    }
  }

  irqAccepted(vector: number, line: number, cpl: number, eip: number, shadow: number): void {
    const at = this.#machine.cpu.instant;
    const found: AcceptEvent = { kind: 'accept', at, vector, line, cpl, eip, shadow };
    const event = this.#expect(found);
    if (event !== null && (event.kind !== 'accept' || !isSameAccept(event, found))) {
      this.#differ(event, found);
    }
  }

  shimCalled(call: number, site: number, args: readonly number[], result: number | null): void {
    const at = this.#machine.cpu.instant;
    const found: ShimEvent = { kind: 'shim', at, call, site, args, result };
    const event = this.#expect(found);
    if (event !== null && (event.kind !== 'shim' || !isSameShim(event, found))) {
      this.#differ(event, found);
    }
  }

  #answerClock(source: ClockSource): void {
    const at = this.#machine.cpu.instant;
    const found: TraceEvent = { kind: 'clock', at, source, value: 0 };
    const event = this.#expect(found);
    let value = 0;
    if (event?.kind === 'clock' && event.source === source) value = event.value;
    else if (event !== null) this.#differ(event, found);
    // Even after a divergence the machine waits for its answer.
    this.#machine.inject({ kind: 'clock', source, value });
  }

  /**
   * Takes the next event, which must have happened at this very instant. Null where there is none or it
   * belongs to another instant; then that is the divergence, unless there was one before.
   */
  #expect(found: TraceEvent): TraceEvent | null {
    if (this.#divergence !== null) return null;
    const event = this.#cursor.peek(0);
    if (event?.at !== found.at) {
      this.#differ(event, found);
      return null;
    }
    this.#take();
    return event;
  }

  #take(): void {
    this.#cursor.advance();
    this.#eventsTaken += 1;
  }

  #differ(expected: TraceEvent | null, found: TraceEvent): void {
    this.#machine.cpu.requestStop();
    if (expected === null) {
      this.#diverge(found.at, subsystemOf(found), 'no further event', describeEvent(found));
    } else if (expected.at < found.at) {
      this.#missed(expected);
    } else {
      const subsystem = subsystemOf(found);
      this.#diverge(found.at, subsystem, describeEvent(expected), describeEvent(found));
    }
  }

  #missed(event: TraceEvent): void {
    this.#diverge(event.at, subsystemOf(event), describeEvent(event), 'none');
  }

  #diverge(instant: Instant, subsystem: Subsystem, expected: string, found: string): void {
    if (this.#divergence !== null) return;
    this.#divergence = { instant, subsystem, expected, found };
  }

  /**
   * Injects and compares what the trace has for the boundary at the present instant. False when the
   * replay is over.
   */
  #settle(): boolean {
    const { instant } = this.#machine.cpu;
    while (this.#divergence === null && this.#end === null) {
      const event = this.#cursor.peek(0);
      if (event === null) {
        this.#isAtOpenEnd = instant >= this.lastInstant;
        return !this.#isAtOpenEnd;
      }
      if (event.at < instant) this.#missed(event);
      else if (event.at > instant) return true;
      else if (!this.#injectOrCompare(event)) {
        // It belongs to a step of which an unfinished recording may not have everything.
        this.#isAtOpenEnd = instant >= this.lastInstant;
        return !this.#isAtOpenEnd;
      }
    }
    return false;
  }

  /** False for an event that belongs to the step after this boundary. */
  #injectOrCompare(event: TraceEvent): boolean {
    switch (event.kind) {
      case 'irq':
        if (!event.isInput) return false;
        this.#take();
        this.#injectedLine = event.line;
        this.#machine.inject({ kind: 'irq', line: event.line });
        this.#injectedLine = -1;
        return true;
      case 'nmi':
        this.#take();
        this.#machine.inject({ kind: 'nmi' });
        return true;
      case 'serial':
        this.#take();
        this.#machine.inject({ kind: 'serial', byte: event.byte });
        return true;
      case 'digest':
      case 'end':
        this.#take();
        this.#compareDigest(event);
        if (event.kind === 'end') this.#compareEnd(event);
        return true;
      case 'accept':
      case 'clock':
      case 'exception':
      case 'shim':
        return false;
    }
  }

  #injectException(): boolean {
    const event = this.#cursor.peek(0);
    if (event?.kind !== 'exception' || event.at !== this.#machine.cpu.instant) return false;
    this.#take();
    const { vector, errorCode } = event;
    this.#machine.inject({ kind: 'exception', vector, errorCode });
    return true;
  }

  #compareDigest(event: DigestEvent | EndEvent): void {
    if (this.#verified.has(event)) return;
    const found = this.#digest.compute();
    if (found !== event.digest) this.#diverge(event.at, 'digest', event.digest, found);
    else this.#verified.add(event);
  }

  #compareEnd(event: EndEvent): void {
    const { exitValue } = this.#machine;
    const expected = event.outcome.kind === 'exit' ? event.outcome.value : null;
    if (exitValue !== expected) {
      const found = exitValue === null ? 'no exit value' : `exit value ${exitValue}`;
      this.#diverge(event.at, 'end', describeEvent(event), found);
    }
    this.#end = event;
  }

  /** How far the machine may run before the trace must be looked at again. */
  #target(until: Instant): Instant {
    for (let ahead = 0; ahead < LOOK_AHEAD; ahead++) {
      const event = this.#cursor.peek(ahead);
      if (event === null) return Math.min(until, this.lastInstant);
      if (isAtBoundary(event) || ahead === LOOK_AHEAD - 1) return Math.min(until, event.at);
    }
    return until;
  }

  #stray(exit: MachineExit): void {
    const { instant } = this.#machine.cpu;
    const next = this.#cursor.peek(0);
    const expected =
      next === null ? `a run to ${formatInstant(this.lastInstant)}` : describeEvent(next);
    this.#diverge(instant, 'cpu', expected, `the machine stopped (${exit})`);
  }
}

/** The event happens between two steps, before the step at its instant. */
function isAtBoundary(event: TraceEvent): boolean {
  switch (event.kind) {
    case 'irq':
      return event.isInput;
    case 'accept':
    case 'clock':
    case 'shim':
      return false;
    case 'nmi':
    case 'exception':
    case 'serial':
    case 'digest':
    case 'end':
      return true;
  }
}

function isSameShim(a: ShimEvent, b: ShimEvent): boolean {
  return (
    a.call === b.call &&
    a.site === b.site &&
    a.result === b.result &&
    a.args.length === b.args.length &&
    a.args.every((value, index) => value === b.args[index])
  );
}

function isSameAccept(a: AcceptEvent, b: AcceptEvent): boolean {
  return (
    a.vector === b.vector &&
    a.line === b.line &&
    a.cpl === b.cpl &&
    a.eip === b.eip &&
    a.shadow === b.shadow
  );
}
