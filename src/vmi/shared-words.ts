/** The words that the hypervisor and the published region share, in guest RAM. */
import type { PhysicalMemory } from '../cpu/physical-memory.js';
import { IRET_OLD_IF, IRET_RETURN, PENDING, SHADOW_CR0, VIRTUAL_IF } from './layout.js';

const IF = 0x200;

export class SharedWords {
  readonly #physical: PhysicalMemory;

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
  }

  /** Virtual IF. Whatever the guest has stored there counts as set unless bit 9 is clear. */
  get interruptFlag(): boolean {
    return (this.#physical.read(VIRTUAL_IF, 4) & IF) !== 0;
  }
  set interruptFlag(isSet: boolean) {
    this.#write(VIRTUAL_IF, isSet ? IF : 0);
  }

  set pending(isPending: boolean) {
    this.#write(PENDING, isPending ? 1 : 0);
  }

  /** The return address that the IRET stub has taken off the stack. */
  get iretReturn(): number {
    return this.#physical.read(IRET_RETURN, 4);
  }

  /** Virtual IF when the IRET began, as the stub keeps it. */
  get iretOldFlag(): boolean {
    return (this.#physical.read(IRET_OLD_IF, 4) & IF) !== 0;
  }

  set cr0(value: number) {
    this.#write(SHADOW_CR0, value);
  }

  /** A word that already holds the value is left alone: its page stays clean. */
  #write(address: number, value: number): void {
    if (this.#physical.read(address, 4) !== value) this.#physical.write(address, 4, value);
  }
}
