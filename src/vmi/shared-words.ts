/**
 * The words that the hypervisor and the published region share: a page of physical memory that the
 * hypervisor answers for. So it hears of each call as it is made, also of those that never trap.
 */
import type { AccessSize, Mmio } from '../cpu/bus.js';
import {
  IRET_EAX,
  IRET_OLD_IF,
  IRET_RETURN,
  PENDING,
  SHADOW_CR0,
  SHARED,
  SHARED_WORDS,
  VIRTUAL_IF,
} from './layout.js';

const IF = 0x200;

/** Told of the guest's accesses, with the value read or to be written, signed. It must not change anything. */
export type AccessListener = (address: number, value: number) => void;

export class SharedWords implements Mmio {
  readonly #view = new DataView(new ArrayBuffer(SHARED_WORDS * 4));
  readonly #heard: AccessListener;
  #isTelling = false;

  constructor(heard: AccessListener) {
    this.#heard = heard;
  }

  /** Virtual IF. Whatever the guest has stored there counts as set unless bit 9 is clear. */
  get interruptFlag(): boolean {
    return (this.#get(VIRTUAL_IF) & IF) !== 0;
  }
  set interruptFlag(isSet: boolean) {
    this.#set(VIRTUAL_IF, isSet ? IF : 0);
  }

  get pending(): boolean {
    return this.#get(PENDING) !== 0;
  }
  set pending(isPending: boolean) {
    this.#set(PENDING, isPending ? 1 : 0);
  }

  /** The return address that the IRET stub has taken off the stack. */
  get iretReturn(): number {
    return this.#get(IRET_RETURN);
  }
  set iretReturn(address: number) {
    this.#set(IRET_RETURN, address);
  }

  /** Virtual IF when the IRET began, as the stub keeps it. */
  get iretOldFlag(): boolean {
    return (this.#get(IRET_OLD_IF) & IF) !== 0;
  }
  set iretOldFlag(isSet: boolean) {
    this.#set(IRET_OLD_IF, isSet ? IF : 0);
  }

  /** The caller's EAX, as a stub keeps it that pushes nothing. */
  get iretEax(): number {
    return this.#get(IRET_EAX);
  }

  set cr0(value: number) {
    this.#set(SHADOW_CR0, value);
  }

  read(physical: number, size: AccessSize): number {
    const value = this.#access(physical, size, null);
    this.#tell(physical, value);
    return value;
  }

  write(physical: number, size: AccessSize, value: number): void {
    this.#tell(physical, value);
    this.#access(physical, size, value);
  }

  /** The words, signed, for checkpoints and digests. */
  save(): number[] {
    return Array.from({ length: SHARED_WORDS }, (_, word) => this.#view.getInt32(word * 4, true));
  }

  /** Takes over what `save` gave. */
  restore(words: readonly number[]): void {
    words.forEach((word, at) => this.#view.setInt32(at * 4, word, true));
  }

  #get(address: number): number {
    return this.#view.getInt32(address - SHARED, true);
  }

  #set(address: number, value: number): void {
    this.#view.setInt32(address - SHARED, value, true);
  }

  /** Who is told may read the guest's stack, which may lie in here: that is no access of the guest's. */
  #tell(physical: number, value: number): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#heard(physical, value);
    this.#isTelling = false;
  }

  /** Behind the words the page reads zero, and loses what is written. */
  #access(physical: number, size: AccessSize, value: number | null): number {
    const offset = physical - SHARED;
    if (offset + size > this.#view.byteLength) return 0;
    if (value !== null) {
      if (size === 4) this.#view.setInt32(offset, value, true);
      else if (size === 2) this.#view.setInt16(offset, value, true);
      else this.#view.setInt8(offset, value);
    }
    if (size === 4) return this.#view.getInt32(offset, true);
    return size === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint8(offset);
  }
}
