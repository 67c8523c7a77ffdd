/** Watches one run for the first verdict that holds. It looks at the guest, and changes nothing. */
import type { Machine } from '../machine/machine.js';
import type { Instant } from '../replay/instant.js';
import { describeOutcome, type Outcome } from '../replay/outcome.js';
import { linearEip } from './boundary.js';
import type { AssertMoment, CompiledVerdicts } from './verdict.js';

/** Why a run is bad. */
export interface Finding {
  /** The verdict's place among those that were asked for. */
  readonly verdict: number;
  /** The instant at which it was known. */
  readonly at: Instant;
  /** Linear EIP there, unsigned. */
  readonly eip: number;
  /** What was seen, the same for failures that look the same. */
  readonly what: string;
}

/** The port of a paravirtual panic device, at which QEMU has its pvpanic. Bit 0: the guest panicked. */
const PANIC_PORT = 0x505;
const PANICKED = 1;
const NEWLINE = 0x0a;
const LINE_MOST = 4096;

/** The lookout of one run, from construction to `release`. */
export class VerdictWatch {
  readonly #machine: Machine;
  readonly #verdicts: CompiledVerdicts;
  #finding: Finding | null = null;
  #line: string;
  #entersUser = false;
  /** Who hears of serial output beside this. */
  readonly #listener: (byte: number) => void;
  #takenAt: Instant;

  /**
   * @param line what the guest has sent of the present line of serial output.
   * @param takenAt when the last interrupt was taken.
   */
  constructor(
    machine: Machine,
    verdicts: CompiledVerdicts,
    line = '',
    takenAt: Instant = machine.cpu.instant,
  ) {
    this.#machine = machine;
    this.#verdicts = verdicts;
    this.#line = line;
    this.#takenAt = takenAt;
    const { cpu } = machine;
    const { moments } = verdicts;
    const listener = machine.onSerialOutput;
    this.#listener = listener;
    if (verdicts.lines.length > 0) {
      machine.onSerialOutput = (byte) => {
        listener(byte);
        this.#print(byte);
      };
    }
    if (verdicts.crash !== null) {
      machine.onUnknownWrite = (port, _size, value) => {
        if (port === PANIC_PORT && value & PANICKED)
          this.#find(verdicts.crash!, 'the guest panicked');
      };
    }
    if (moments.cpl3.length > 0) {
      cpu.core.onUserEntry = () => {
        this.#entersUser = true;
        cpu.requestStop();
      };
    }
    if (moments.iret.length > 0) cpu.core.onIret = () => this.#check('iret');
    if (moments.irq.length > 0 || verdicts.hang !== null) {
      cpu.onDelivery = (_vector, kind) => {
        if (kind !== 'interrupt') return;
        this.#takenAt = cpu.instant;
        this.#check('irq');
      };
    }
  }

  /** The first verdict that held, or null. */
  get finding(): Finding | null {
    return this.#finding;
  }

  /** How many steps may go by before `boundary` must be asked about a hang. */
  get patience(): number {
    const { hang } = this.#verdicts;
    if (hang === null) return Number.POSITIVE_INFINITY;
    return Math.max(1, this.#takenAt + hang.steps - this.#machine.cpu.instant);
  }

  /** To be called wherever the machine has stopped between two steps. */
  boundary(): void {
    if (this.#entersUser) {
      this.#entersUser = false;
      this.#check('cpl3');
    }
    const { hang } = this.#verdicts;
    if (hang !== null && this.#machine.cpu.instant - this.#takenAt >= hang.steps) {
      this.#find(hang.place, `no interrupt was taken for ${hang.steps} steps`);
    }
  }

  /** The machine has stopped at one of the breakpoints. */
  breakpoint(): void {
    const { hits, visits } = this.#verdicts;
    const address = this.#eip;
    const hit = hits.get(address);
    if (hit !== undefined) this.#find(hit, 'the instruction was reached');
    for (const { place, holds } of visits.get(address) ?? []) {
      if (holds(this.#machine) === 0) this.#find(place, 'it does not hold');
    }
  }

  /** The run has ended by itself. */
  ended(outcome: Outcome): void {
    const { exits, lines, crash, hang } = this.#verdicts;
    for (const { place, isBad } of exits) {
      if (isBad(outcome)) this.#find(place, describeOutcome(outcome));
    }
    if (this.#line !== '' && lines.length > 0) this.#endLine();
    if (crash !== null && (outcome.kind === 'shutdown' || outcome.kind === 'reset')) {
      this.#find(crash, describeOutcome(outcome));
    }
    if (hang !== null && outcome.kind === 'halted')
      this.#find(hang.place, describeOutcome(outcome));
  }

  /** What is found at the present boundary by someone else. */
  found(verdict: number, what: string): Finding {
    return { verdict, at: this.#machine.cpu.instant, eip: this.#eip, what };
  }

  /** Lets go of the machine. */
  release(): void {
    const { cpu } = this.#machine;
    this.#machine.onSerialOutput = this.#listener;
    this.#machine.onUnknownWrite = null;
    cpu.core.onUserEntry = null;
    cpu.core.onIret = null;
    cpu.onDelivery = null;
  }

  get #eip(): number {
    return linearEip(this.#machine);
  }

  #check(moment: AssertMoment): void {
    for (const { place, holds } of this.#verdicts.moments[moment]) {
      if (holds(this.#machine) === 0) this.#find(place, 'it does not hold');
    }
  }

  #find(verdict: number, what: string): void {
    // Of several at one moment the one that was asked for first names the run.
    const { instant } = this.#machine.cpu;
    if (this.#finding !== null) {
      if (this.#finding.at < instant || this.#finding.verdict <= verdict) return;
    }
    this.#finding = this.found(verdict, what);
    this.#machine.cpu.requestStop();
  }

  #print(byte: number): void {
    if (byte === NEWLINE || this.#line.length === LINE_MOST) this.#endLine();
    else if (byte !== 0x0d) this.#line += String.fromCharCode(byte);
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    for (const { place, pattern } of this.#verdicts.lines) {
      const match = pattern.exec(line);
      if (match !== null) this.#find(place, JSON.stringify(match[0]));
    }
  }
}
