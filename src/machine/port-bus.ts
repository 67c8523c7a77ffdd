/**
 * The I/O port space. Chips on this bus are eight bits wide unless they say otherwise, so a wider access
 * becomes byte cycles at successive ports, lowest first, as the ISA bus controller makes them.
 */
import type { AccessSize } from '../cpu/bus.js';
import type { Device } from './device.js';

/** What answers for a range of ports. */
export interface PortHandler {
  /** The widest access that reaches the handler whole. 1 where absent. */
  readonly widest?: AccessSize;
  /** The value, zero-extended. */
  read(port: number, size: AccessSize): number;
  /** `value` may have bits above `size` bytes only if `size` is 4 (its sign). */
  write(port: number, size: AccessSize, value: number): void;
}

const PORTS = 0x10000;

/** Ports 0 to FFFFh. Ports that nobody claimed read all ones, swallow writes, and are counted. */
export class PortBus implements Device {
  readonly name = 'port-bus';
  /** Handler number plus one for each port; 0 where unclaimed. */
  readonly #owner = new Uint8Array(PORTS);
  readonly #handlers: PortHandler[] = [];
  readonly #unclaimed = new Map<number, number>();

  /** Byte accesses to each port that nobody claimed, since reset. */
  get unclaimed(): ReadonlyMap<number, number> {
    return this.#unclaimed;
  }

  /**
   * Gives the ports `first` to `last` to a handler.
   * @throws Error when one of them is taken: the machine is put together wrongly.
   */
  claim(first: number, last: number, handler: PortHandler): void {
    let index = this.#handlers.indexOf(handler);
    if (index < 0) index = this.#handlers.push(handler) - 1;
    if (index >= 0xff) throw new Error('too many port handlers');
    for (let port = first; port <= last; port++) {
      if (this.#owner[port] !== 0) throw new Error(`port ${port.toString(16)}h is claimed twice`);
      this.#owner[port] = index + 1;
    }
  }

  /** A chip answers at this port. */
  isClaimed(port: number): boolean {
    return this.#owner[port] !== 0;
  }

  /** Reads 1, 2 or 4 bytes; 4 bytes come signed. Has whatever side effect the chip's read has. */
  read(port: number, size: AccessSize): number {
    const owner = this.#owner[port];
    if (owner === 0 && size === 1) return this.#countUnclaimed(port);
    if (owner !== 0) {
      const handler = this.#handlers[owner - 1];
      if (size === 1) return handler.read(port, 1) & 0xff;
      if (size <= (handler.widest ?? 1)) return handler.read(port, size) | 0;
    }
    const half = size === 4 ? 2 : 1;
    const low = this.read(port, half);
    return low | (this.read((port + half) & 0xffff, half) << (half * 8));
  }

  /** Writes 1, 2 or 4 bytes. */
  write(port: number, size: AccessSize, value: number): void {
    const owner = this.#owner[port];
    if (owner === 0 && size === 1) {
      this.#countUnclaimed(port);
      return;
    }
    if (owner !== 0) {
      const handler = this.#handlers[owner - 1];
      if (size <= (handler.widest ?? 1)) {
        handler.write(port, size, size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value);
        return;
      }
    }
    const half = size === 4 ? 2 : 1;
    this.write(port, half, value);
    this.write((port + half) & 0xffff, half, value >>> (half * 8));
  }

  reset(): void {
    this.#unclaimed.clear();
  }

  /** Port, count, port, count... */
  save(): number[] {
    return [...this.#unclaimed].flat();
  }

  restore(state: readonly number[]): void {
    this.#unclaimed.clear();
    for (let at = 0; at + 1 < state.length; at += 2) this.#unclaimed.set(state[at], state[at + 1]);
  }

  #countUnclaimed(port: number): number {
    this.#unclaimed.set(port, (this.#unclaimed.get(port) ?? 0) + 1);
    return 0xff;
  }
}
