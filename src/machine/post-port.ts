/** Port 80h, where firmware shows how far it has come. Kernels write to it to let a microsecond pass. */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

export const POST_PORT = 0x80;

/** Keeps the last byte written, which is also what a read returns. */
export class PostPort implements Device {
  readonly name = 'post-port';
  #code = 0;

  constructor(ports: PortBus) {
    ports.claim(POST_PORT, POST_PORT, {
      read: () => this.#code,
      write: (_port, _size, value) => {
        this.#code = value;
      },
    });
  }

  /** The byte written last, 0 after reset. */
  get code(): number {
    return this.#code;
  }

  reset(): void {
    this.#code = 0;
  }

  save(): number[] {
    return [this.#code];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 1);
    this.#code = state[0];
  }
}
