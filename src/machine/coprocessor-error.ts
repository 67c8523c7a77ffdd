/**
 * The road of x87 errors in a PC since the AT: FERR# from the processor is latched and raises IRQ 13; a
 * write to port F0h takes the request back, and has IGNNE# let x87 instructions pass until the handler
 * has cleared the error. Intel 82371 (PIIX) data sheet, "CPU interface logic".
 */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

/** Clears the request. F1h, by which the AT reset its 287, does nothing since the 387. */
const CLEAR_PORT = 0xf0;
const RESET_PORT = 0xf1;

export class CoprocessorError implements Device {
  readonly name = 'coprocessor-error';
  /** Called when the level of the interrupt request changes. */
  onInterrupt: (level: boolean) => void = () => undefined;

  #error = false;
  #isRequested = false;
  #isIgnored = false;

  constructor(ports: PortBus) {
    ports.claim(CLEAR_PORT, RESET_PORT, {
      read: () => 0xff,
      write: (port) => {
        if (port === CLEAR_PORT) this.#clear();
      },
    });
  }

  /** Level of IGNNE#. */
  get isErrorIgnored(): boolean {
    return this.#isIgnored;
  }

  /** Takes the level of FERR#. */
  setError(level: boolean): void {
    if (level === this.#error) return;
    this.#error = level;
    if (level) this.#request(true);
    else this.#isIgnored = false;
  }

  reset(): void {
    this.#error = false;
    this.#isRequested = false;
    this.#isIgnored = false;
  }

  save(): number[] {
    return [this.#error, this.#isRequested, this.#isIgnored].map(Number);
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 3);
    this.#error = state[0] !== 0;
    this.#isRequested = state[1] !== 0;
    this.#isIgnored = state[2] !== 0;
  }

  #clear(): void {
    this.#request(false);
    if (this.#error) this.#isIgnored = true;
  }

  #request(level: boolean): void {
    if (level === this.#isRequested) return;
    this.#isRequested = level;
    this.onInterrupt(level);
  }
}
