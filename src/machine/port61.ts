/**
 * Port 61h, "NMI status and control": GATE of timer 2, the speaker, and the levels of OUT 2 and the
 * refresh toggle. Intel 82371 (PIIX) data sheet, "NMISC".
 */
import { checkStateLength, type Device, type ReadClock } from './device.js';
import type { Pit8254 } from './pit8254.js';
import type { PortBus } from './port-bus.js';

const PORT = 0x61;
const GATE2 = 0x01;
/** GATE 2, speaker data, and the masks of parity and channel check: what can be written. */
const WRITABLE = 0x0f;
const REFRESH_TOGGLE = 0x10;
const OUT2 = 0x20;
/** Ticks of the timer between two memory refreshes. */
const REFRESH_TICKS = 18;

/** The port. Its parity and channel check bits are never set: nothing here fails. */
export class Port61 implements Device {
  readonly name = 'port61';
  readonly #pit: Pit8254;
  readonly #readClock: ReadClock;
  #control = 0;

  constructor(ports: PortBus, pit: Pit8254, readClock: ReadClock) {
    this.#pit = pit;
    this.#readClock = readClock;
    ports.claim(PORT, PORT, {
      read: () => this.#read(),
      write: (_port, _size, value) => this.#write(value),
    });
  }

  reset(): void {
    this.#control = 0;
  }

  save(): number[] {
    return [this.#control];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 1);
    this.#control = state[0];
  }

  #read(): number {
    const now = this.#readClock('pit', true);
    return (
      this.#control |
      (Math.trunc(now / REFRESH_TICKS) % 2 === 1 ? REFRESH_TOGGLE : 0) |
      (this.#pit.output2(now) ? OUT2 : 0)
    );
  }

  #write(value: number): void {
    const changed = this.#control ^ value;
    this.#control = value & WRITABLE;
    if (changed & GATE2) this.#pit.setGate2((value & GATE2) !== 0);
  }
}
