/**
 * The 8254 programmable interval timer of a PC. Counter 0 drives IRQ 0, counter 1 once refreshed memory,
 * counter 2 drives the speaker and is gated by port 61h.
 *
 * Time comes in through `ReadClock`, at each access for which it matters, in ticks of 1193182 Hz since
 * reset. Edges of counter 0 that time brings about come in through `edge`. Intel 8254 data sheet (order
 * 231164).
 */
import { checkStateLength, type Device, type ReadClock } from './device.js';
import { PitCounter } from './pit-counter.js';
import type { PortBus } from './port-bus.js';

/** CLK of a PC's timer, in Hz. */
export const PIT_HZ = 1193182;

const PORT_COUNTER0 = 0x40;
const PORT_CONTROL = 0x43;
/** SC bits of the control word: the read-back command. */
const READ_BACK = 3;
const READ_BACK_NO_COUNT = 0x20;
const READ_BACK_NO_STATUS = 0x10;
/** Count that refreshed memory every 15 microseconds. */
const REFRESH_COUNT = 18;
/** Of one counter. */
const STATE_LENGTH = 15;

/** The timer, at ports 40h to 43h. */
export class Pit8254 implements Device {
  readonly name = 'pit8254';
  /** Called when OUT of counter 0 changes for the PIC: by a control word or count, or by `edge`. */
  onOutput0: (level: boolean) => void = () => undefined;

  readonly #counters = [new PitCounter(true), new PitCounter(true), new PitCounter(false)];
  readonly #readClock: ReadClock;

  constructor(ports: PortBus, readClock: ReadClock) {
    this.#readClock = readClock;
    ports.claim(PORT_COUNTER0, PORT_CONTROL, {
      read: (port) => (port === PORT_CONTROL ? 0xff : this.#read(this.#counters[port & 3])),
      write: (port, _size, value) => {
        if (port === PORT_CONTROL) this.#writeControl(value);
        else this.#writeCount(port & 3, value);
      },
    });
    this.reset();
  }

  /**
   * As firmware leaves it: counter 0 a square wave of 18.2 Hz, counter 1 refreshing, counter 2 silent; all
   * began at tick 0.
   */
  reset(): void {
    this.#counters[0].reset(3, 65536);
    this.#counters[1].reset(2, REFRESH_COUNT);
    this.#counters[2].reset(3, 65536);
  }

  /**
   * The tick after `now` at which OUT of counter 0 rises next, as things stand; Infinity where never.
   * Changes nothing. Live sources of input inject `{kind: 'irq', line: 0}` then.
   */
  nextEdge(now: number): number {
    return this.#counters[0].nextEdge(now);
  }

  /** OUT of counter 0 rises. */
  edge(): void {
    // Deviation: OUT falls just before it rises, not a half-period or a tick earlier. An input is one
    // event, and an edge-triggered PIC can tell only when it polls IRR in that time.
    this.onOutput0(false);
    this.onOutput0(true);
  }

  /** Sets GATE of counter 2 (port 61h bit 0). */
  setGate2(isHigh: boolean): void {
    this.#counters[2].setGate(isHigh, this.#readClock('pit', true));
  }

  /** OUT of counter 2 at a tick. */
  output2(now: number): boolean {
    return this.#counters[2].output(now);
  }

  /** The three counters in turn. */
  save(): number[] {
    return this.#counters.flatMap((counter) => counter.save());
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 3 * STATE_LENGTH);
    this.#counters.forEach((counter, index) => {
      counter.restore(state.slice(index * STATE_LENGTH, (index + 1) * STATE_LENGTH));
    });
  }

  #read(counter: PitCounter): number {
    return counter.read(counter.readsLive ? this.#readClock('pit', true) : 0);
  }

  #writeControl(value: number): void {
    const selected = value >> 6;
    if (selected === READ_BACK) {
      this.#readBack(value);
      return;
    }
    const counter = this.#counters[selected];
    const access = (value >> 4) & 3;
    if (access === 0) {
      counter.latchCount(this.#readClock('pit', true));
      return;
    }
    counter.writeControl(access, (value >> 1) & 7, (value & 1) !== 0);
    if (selected !== 0) return;
    this.onOutput0(counter.mode !== 0);
    this.#askForTime();
  }

  /** Whoever drives the machine learns that edges may fall differently now when it is asked for the time. */
  #askForTime(): void {
    this.#readClock('pit');
  }

  #readBack(value: number): void {
    if ((value & READ_BACK_NO_COUNT) !== 0 && (value & READ_BACK_NO_STATUS) !== 0) return;
    const now = this.#readClock('pit', true);
    for (let index = 0; index < 3; index++) {
      if ((value & (2 << index)) === 0) continue;
      if ((value & READ_BACK_NO_COUNT) === 0) this.#counters[index].latchCount(now);
      if ((value & READ_BACK_NO_STATUS) === 0) this.#counters[index].latchStatus(now);
    }
  }

  #writeCount(index: number, value: number): void {
    const counter = this.#counters[index];
    if (counter.completesCount) counter.writeLastByte(value, this.#readClock('pit', index !== 0));
    else counter.writeLowByte(value);
    if (index !== 0 || counter.mode !== 0) return;
    this.onOutput0(false);
    if (!counter.completesCount) return;
    this.#askForTime();
  }
}
