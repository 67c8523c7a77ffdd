/**
 * A second machine beside a base run, one input ahead of it: it tells whether an input that came a step
 * earlier has made any difference. Two states are equal where the processor, all devices and all of RAM
 * are; RAM is compared in the pages that either has written since both were equal.
 */
import type { Machine } from '../machine/machine.js';
import { Session } from '../replay/session.js';
import { WrittenPages } from '../replay/written-pages.js';
import type { BaseRun } from './base-run.js';
import { type PlacedInput, withInputs } from './schedule.js';
import { type Feed, ScheduleSource } from './schedule-source.js';

const PAGE_BYTES = 4096;

/** A machine that is made equal to a base run's again and again, and then led astray. */
export class Twin {
  #base: BaseRun;
  readonly #machine: Machine;
  readonly #feed: Feed;
  readonly #written: readonly WrittenPages[];
  readonly #ram: Buffer;
  readonly #baseRam: Buffer;
  /** Pages that may differ. */
  readonly #suspects = new Set<number>();
  #session: Session | null = null;

  /** @param machine built as the base run's was. */
  constructor(base: BaseRun, machine: Machine, feed: Feed) {
    this.#base = base;
    this.#machine = machine;
    this.#feed = feed;
    const memories = [base.machine, machine].map(({ cpu }) => cpu.core.physical);
    this.#written = memories.map((physical) => new WrittenPages(physical));
    [this.#baseRam, this.#ram] = memories.map(({ ram, ramBytes }) =>
      Buffer.from(ram.buffer, ram.byteOffset, ramBytes),
    );
  }

  /** Goes beside another run from now on. @param base one on the same machine as the one before. */
  follow(base: BaseRun): void {
    this.#base = base;
  }

  /** Takes over the base run's present state, and gives the inputs to this machine alone. */
  place(inputs: readonly PlacedInput[]): void {
    this.#mirror();
    const { past, position, instant } = this.#base;
    const placed = inputs.map((input) => ({ at: instant, input }));
    const schedule = withInputs(past.inputsFrom(position), placed);
    const branch = { reads: past.readsBefore(position) };
    const source = new ScheduleSource(past, schedule, this.#feed, branch);
    this.#session = new Session(this.#machine, source);
    this.#session.advance(this.#base.instant);
  }

  /** Goes one step on; false where the run is over. */
  step(): boolean {
    const until = this.#machine.cpu.instant + 1;
    for (;;) {
      const exit = this.#session!.advance(until);
      if (exit !== 'stopped') return exit === 'until';
    }
  }

  /**
   * Both machines are in the same state, or would be if the base run's were given these inputs now. Neither
   * is changed by the question.
   */
  isEqual(inputs: readonly PlacedInput[]): boolean {
    const { machine } = this.#base;
    const { cpu } = this.#machine;
    if (machine.cpu.retired !== cpu.retired || machine.cpu.core.state.eip !== cpu.core.state.eip) {
      return false;
    }
    if (inputs.length === 0) return this.#isSameState() && this.#isSameRam();
    const saved = machine.save();
    machine.observer = null;
    for (const input of inputs) machine.inject(input);
    const isSame = this.#isSameState();
    machine.restore(saved);
    this.#base.attach();
    return isSame && this.#isSameRam();
  }

  #isSameState(): boolean {
    const base = this.#base.machine;
    const { cpu, devices } = this.#machine;
    if (base.cpu.instant !== cpu.instant) return false;
    if (Buffer.compare(base.cpu.architecturalState(), cpu.architecturalState()) !== 0) return false;
    return devices.every((device, place) => {
      const theirs = base.devices[place].save();
      const ours = device.save();
      return ours.length === theirs.length && ours.every((word, index) => word === theirs[index]);
    });
  }

  #isSameRam(): boolean {
    this.#suspect();
    for (const page of this.#suspects) if (!this.#isSamePage(page)) return false;
    this.#suspects.clear();
    return true;
  }

  #isSamePage(page: number): boolean {
    const start = page * PAGE_BYTES;
    const end = start + PAGE_BYTES;
    return this.#ram.compare(this.#baseRam, start, end, start, end) === 0;
  }

  #suspect(): void {
    for (const written of this.#written) written.look((page) => this.#suspects.add(page));
  }

  #mirror(): void {
    this.#suspect();
    const { physical } = this.#machine.cpu.core;
    for (const page of this.#suspects) {
      if (this.#isSamePage(page)) continue;
      const start = page * PAGE_BYTES;
      physical.replace(start, this.#baseRam.subarray(start, start + PAGE_BYTES));
    }
    this.#suspects.clear();
    this.#machine.restore(this.#base.machine.save());
  }
}
