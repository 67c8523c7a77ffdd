/**
 * Drives a live machine: lets it run, has its source inject what is due, records it where there is a
 * recorder, and ends the run. It works in slices and never blocks, so that whoever calls it can look
 * after the rest of the world in between.
 */
import { exitStatus } from '../machine/debug-exit.js';
import type { MachineInput } from '../machine/input.js';
import type { Machine, MachineExit } from '../machine/machine.js';
import type { LiveSource } from './clock/live-source.js';
import type { TraceEvent } from './event.js';
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';
import type { Recorder } from './recorder.js';

/**
 * Why a live machine stopped. `until`: at the instant asked for. `waiting`: the processor is halted
 * until the host's time, or a serial byte, wakes it. `breakpoint`: as `Cpu.run` says. `stopped`: by
 * `Cpu.requestStop`, which the source of input also uses. `end`: the run is over, see `outcome`.
 */
export type SessionExit = 'until' | 'waiting' | 'breakpoint' | 'stopped' | 'end';

/** How long a session may go on, and what may still come to it. */
export interface SessionOptions {
  /** Records the run, where it is to be recorded. */
  readonly recorder?: Recorder | null;
  /** Retired instructions after which the run ends. */
  readonly maxInstructions?: number;
  /** Serial bytes may still arrive: a guest that halts for good is waited for. */
  readonly awaitsSerial?: boolean;
}

/** How a live timeline's machine is driven, and who else hears of what is recorded. */
export interface LiveOptions extends SessionOptions {
  /** Receives each recorded event once, as it happens. */
  readonly onEvent?: (event: TraceEvent) => void;
}

/**
 * Steps between two bytes at the serial port, if the guest doesn't halt before: about the time that a
 * byte takes at 115200 baud under the virtual clock.
 */
const SERIAL_STEPS = 8680;

/** A live run of one machine. */
export class Session {
  /** See `SessionOptions`; cleared when no more bytes can come. */
  awaitsSerial: boolean;
  readonly #machine: Machine;
  readonly #source: LiveSource;
  readonly #recorder: Recorder | null;
  readonly #maxInstructions: number;
  readonly #serial: number[] = [];
  #serialAt: Instant = 0;
  #settledAt: Instant = -1;
  #outcome: Outcome | null = null;
  #digest: string | null = null;

  constructor(machine: Machine, source: LiveSource, options: SessionOptions = {}) {
    this.#machine = machine;
    this.#source = source;
    this.#recorder = options.recorder ?? null;
    this.#maxInstructions = options.maxInstructions ?? Number.POSITIVE_INFINITY;
    this.awaitsSerial = options.awaitsSerial ?? false;
    if (this.#recorder === null) machine.observer = null;
    source.attach(machine, (input) => this.#inject(input));
    this.attach();
  }

  /** How the run ended; null while it goes on. */
  get outcome(): Outcome | null {
    return this.#outcome;
  }

  /** The digest of the state that a recorded run ended in. */
  get digest(): string | null {
    return this.#digest;
  }

  /** After `waiting`: nanoseconds until the source's next input; Infinity where only bytes may come. */
  get waitNanoseconds(): number {
    return this.#source.waitNanoseconds;
  }

  /** Makes this session the machine's clock and observer, after someone else was. */
  attach(): void {
    this.#machine.observer = this.#recorder;
    this.#machine.requestClock = (source, isLook) => {
      this.#inject({ kind: 'clock', source, value: this.#source.readClock(source, isLook) });
    };
  }

  /**
   * Brings an input to the guest at this boundary, beside those of its source.
   * @throws Error on one that `Machine.inject` refuses.
   */
  inject(input: MachineInput): void {
    this.#inject(input);
  }

  /** Queues bytes for the guest's serial port. */
  pushSerial(bytes: Iterable<number>): void {
    this.#serial.push(...bytes);
  }

  /** Guest time stands still between `pause` and `resume`. */
  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  /** Ends the run because someone asked for it. */
  interrupt(): Outcome {
    return this.#end({ kind: 'interrupted' });
  }

  /** Runs for at most `maxSteps` steps. */
  slice(maxSteps: number): 'running' | 'waiting' | Outcome {
    const until = this.#machine.cpu.instant + maxSteps;
    let exit: SessionExit;
    do exit = this.advance(until);
    while (exit === 'stopped');
    if (this.#outcome !== null) return this.#outcome;
    return exit === 'waiting' ? 'waiting' : 'running';
  }

  /**
   * Runs until the instant, whose inputs are then injected, or stops earlier for a reason.
   * @param skipBreakpointHere don't stop for a breakpoint at the present EIP.
   */
  advance(until: Instant, skipBreakpointHere = false): SessionExit {
    const { cpu } = this.#machine;
    let skip = skipBreakpointHere;
    while (this.#outcome === null) {
      this.#recordDigest();
      this.#settle();
      this.#recordCheckpoint();
      const start = cpu.instant;
      if (start >= until) return 'until';
      const left = this.#maxInstructions - cpu.retired;
      if (left <= 0) {
        this.#end({ kind: 'limit' });
        break;
      }
      const target = Math.min(until, start + left, this.#nextInstant());
      const exit = this.#machine.run(target, skip);
      if (cpu.instant !== start) skip = false;
      if (exit === 'until') continue;
      if (exit === 'breakpoint' || exit === 'stopped') {
        this.#settle();
        return exit;
      }
      if (exit !== 'halted') this.#endBy(exit);
      else if (!this.#wake()) return this.outcome === null ? 'waiting' : 'end';
    }
    return 'end';
  }

  #inject(input: MachineInput): void {
    if (this.#recorder === null) this.#machine.inject(input);
    else this.#recorder.inject(input);
  }

  /** Injects what is due at this instant, once: afterwards the state at this instant is settled. */
  #settle(): void {
    const { instant } = this.#machine.cpu;
    if (instant === this.#settledAt) return;
    this.#settledAt = instant;
    this.#source.poll();
    if (this.#machine.cpu.instant !== instant) {
      // An exception is a step of its own, and leads to another boundary.
      this.#settle();
      return;
    }
    if (this.#serial.length > 0 && instant >= this.#serialAt) this.#injectSerial();
  }

  /**
   * Has the next byte arrive where the guest's UART has room for it; else it waits, as at a sender that
   * heeds RTS. False where nothing arrived.
   */
  #injectSerial(): boolean {
    this.#serialAt = this.#machine.cpu.instant + SERIAL_STEPS;
    if (!this.#machine.uart.hasRoom) return false;
    const byte = this.#serial.shift();
    if (byte === undefined) return false;
    this.#inject({ kind: 'serial', byte });
    return true;
  }

  /** Has something arrive at the halted processor. False where it must wait, or the run is over. */
  #wake(): boolean {
    if (!this.#machine.isWakeable) {
      this.#end({ kind: 'halted' });
      return false;
    }
    if (this.#serial.length > 0 && this.#injectSerial()) return true;
    switch (this.#source.idle()) {
      case 'advanced':
        return true;
      case 'wait':
        return false;
      case 'forever':
        if (!this.awaitsSerial) this.#end({ kind: 'halted' });
        return false;
    }
  }

  /** The first instant at which there may be something to inject or to record. */
  #nextInstant(): Instant {
    const recorder = this.#recorder;
    const record =
      recorder === null
        ? Number.POSITIVE_INFINITY
        : Math.min(recorder.nextDigest, recorder.nextCheckpoint);
    const serial = this.#serial.length > 0 ? this.#serialAt : Number.POSITIVE_INFINITY;
    const next = Math.min(this.#source.nextInstant(), record, serial);
    return Math.max(next, this.#machine.cpu.instant + 1);
  }

  #recordDigest(): void {
    const recorder = this.#recorder;
    if (recorder !== null && this.#machine.cpu.instant >= recorder.nextDigest) recorder.digest();
  }

  #recordCheckpoint(): void {
    const recorder = this.#recorder;
    if (recorder !== null && this.#machine.cpu.instant >= recorder.nextCheckpoint) {
      recorder.checkpoint();
    }
  }

  #endBy(exit: Exclude<MachineExit, 'until' | 'halted' | 'breakpoint' | 'stopped'>): void {
    if (exit !== 'exit') this.#end({ kind: exit });
    else {
      const value = this.#machine.exitValue ?? 0;
      this.#end({ kind: 'exit', value, status: exitStatus(value) });
    }
  }

  #end(outcome: Outcome): Outcome {
    if (this.#outcome !== null) return this.#outcome;
    this.#outcome = outcome;
    this.#digest = this.#recorder?.end(outcome) ?? null;
    return outcome;
  }
}
