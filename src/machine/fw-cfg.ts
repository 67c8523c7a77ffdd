/**
 * QEMU's firmware configuration device, ports 510h and 511h, with what test kernels read from it: the
 * signature, the size of RAM and the number of processors. There are no files and no DMA.
 *
 * QEMU's docs/specs/fw_cfg.rst.
 */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

const PORT_SELECT = 0x510;
const PORT_DATA = 0x511;

const KEY_SIGNATURE = 0x00;
const KEY_FEATURES = 0x01;
const KEY_RAM_BYTES = 0x03;
const KEY_CPUS = 0x05;
const KEY_CPUS_MOST = 0x0f;
const KEY_FILES = 0x19;
/** Bit of a key that asked for writing once. */
const KEY_WRITE = 0x4000;

/** The traditional interface, without DMA. */
const FEATURES = 1;

/** A selected item is read byte by byte; behind its end, and where there is none, come zeros. */
export class FwCfg implements Device {
  readonly name = 'fw-cfg';
  readonly #items: ReadonlyMap<number, readonly number[]>;
  #key = KEY_SIGNATURE;
  #offset = 0;

  constructor(ports: PortBus, memoryBytes: number) {
    this.#items = new Map([
      [KEY_SIGNATURE, [0x51, 0x45, 0x4d, 0x55]],
      [KEY_FEATURES, [FEATURES, 0, 0, 0]],
      [KEY_RAM_BYTES, [0, 8, 16, 24].map((shift) => (memoryBytes >>> shift) & 0xff)],
      [KEY_CPUS, [1, 0]],
      [KEY_CPUS_MOST, [1, 0]],
      // How many files there are, and then those.
      [KEY_FILES, [0, 0, 0, 0]],
    ]);
    ports.claim(PORT_SELECT, PORT_DATA, {
      widest: 2,
      read: (port) => (port === PORT_DATA ? this.#next() : 0xff),
      write: (port, size, value) => {
        if (port !== PORT_SELECT || size !== 2) return;
        this.#key = value & ~KEY_WRITE;
        this.#offset = 0;
      },
    });
  }

  reset(): void {
    this.#key = KEY_SIGNATURE;
    this.#offset = 0;
  }

  save(): number[] {
    return [this.#key, this.#offset];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 2);
    [this.#key, this.#offset] = state;
  }

  #next(): number {
    const item = this.#items.get(this.#key) ?? [];
    if (this.#offset >= item.length) return 0;
    this.#offset += 1;
    return item[this.#offset - 1];
  }
}
