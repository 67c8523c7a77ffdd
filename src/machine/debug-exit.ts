/** Port F4h: the guest ends the run and says how it went, as with QEMU's isa-debug-exit. */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

const PORT = 0xf4;

/** The exit status of a run that the guest ended by writing `value` to port F4h: odd, 1 to 255. */
export function exitStatus(value: number): number {
  return ((value << 1) | 1) & 0xff;
}

/** Notes the byte and has the machine stopped after the instruction. */
export class DebugExit implements Device {
  readonly name = 'debug-exit';
  /** Called on each write. */
  onExit: () => void = () => undefined;
  #value = -1;

  constructor(ports: PortBus) {
    ports.claim(PORT, PORT, {
      widest: 4,
      read: () => 0,
      write: (_port, _size, value) => {
        this.#value = value & 0xff;
        this.onExit();
      },
    });
  }

  /** The byte written last, or null where there was none since reset. */
  get value(): number | null {
    return this.#value < 0 ? null : this.#value;
  }

  reset(): void {
    this.#value = -1;
  }

  save(): number[] {
    return [this.#value];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 1);
    this.#value = state[0];
  }
}
