/**
 * Several pushes that happen together or not at all.
 *
 * A transfer collects what it will push, has it checked against the limit and the page tables, goes on
 * checking whatever else may fault, and writes the frame only then.
 */
import type { Core } from '../core.js';
import { ACCESS_BIG, isWritableData } from '../descriptors.js';
import { raise, VECTOR_SS } from '../fault.js';
import { isWithinLimit } from '../segmentation.js';
import { SEG_SS } from '../state-layout.js';

/** The largest frame: a call gate's 31 parameters, SS, ESP, CS and EIP. */
const CAPACITY = 48;

/** A frame in the making. Transfers keep one for good and begin it anew. */
export class Frame {
  readonly #values = new Int32Array(CAPACITY);
  #count = 0;
  #base = 0;
  #limit = 0;
  #access = 0;
  /** The bits of ESP that are the stack pointer. */
  #mask = 0;
  /** The stack pointer before the frame, all 32 bits. */
  #pointer = 0;
  #size: 2 | 4 = 4;
  /** The stack pointer passes zero on the way, so the frame is no range of offsets. */
  #wraps = false;

  /** Starts an empty frame on a stack segment with the given hidden part. */
  begin(base: number, limit: number, access: number, pointer: number, size: 2 | 4): void {
    this.#base = base;
    this.#limit = limit;
    this.#access = access;
    this.#mask = access & ACCESS_BIG ? -1 : 0xffff;
    this.#pointer = pointer;
    this.#size = size;
    this.#count = 0;
  }

  /** Starts an empty frame on the present stack. */
  beginHere(core: Core, size: 2 | 4): void {
    const state = core.state;
    this.begin(
      state.segmentBase(SEG_SS),
      state.segmentLimit(SEG_SS),
      state.segmentAccess(SEG_SS),
      state.esp,
      size,
    );
  }

  /** Adds a value below the others; of 2-byte frames its low half. */
  push(value: number): void {
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  /** ESP with the frame pushed: on a 16-bit stack only SP differs from what the frame began with. */
  get stackPointer(): number {
    return (this.#pointer & ~this.#mask) | this.#at(this.#count);
  }

  /** To be called when all is pushed. @throws fault #SS with this error code where it doesn't fit. */
  checkLimit(errorCode: number): void {
    if (!isWritableData(this.#access)) raise(VECTOR_SS, errorCode);
    const bytes = this.#count * this.#size;
    const pointer = (this.#pointer & this.#mask) >>> 0;
    this.#wraps = pointer !== 0 && pointer < bytes;
    if (!this.#wraps) {
      this.#checkRange((this.#pointer - bytes) & this.#mask, bytes, errorCode);
      return;
    }
    for (let i = 1; i <= this.#count; i++) this.#checkRange(this.#at(i), this.#size, errorCode);
  }

  /**
   * Checks that all of the frame can be written.
   * @throws fault #PF, #AC.
   */
  probe(core: Core, user: boolean): void {
    const { mmu } = core;
    // A frame without a wrap is shorter than a page: its two ends stand for all of it.
    const step = this.#wraps ? 1 : Math.max(this.#count - 1, 1);
    for (let i = 1; i <= this.#count; i += step) {
      mmu.probeWrite((this.#base + this.#at(i)) | 0, this.#size, user);
    }
  }

  /** Writes the frame, which was checked and probed. ESP and SS stay the caller's to set. */
  write(core: Core, user: boolean): void {
    const { mmu } = core;
    for (let i = 1; i <= this.#count; i++) {
      mmu.write((this.#base + this.#at(i)) | 0, this.#size, this.#values[i - 1], user);
    }
  }

  /** Offset of the value that the `nth` push (1, 2, ...) stores. */
  #at(nth: number): number {
    return (this.#pointer - nth * this.#size) & this.#mask;
  }

  #checkRange(offset: number, bytes: number, errorCode: number): void {
    if (!isWithinLimit(this.#limit, this.#access, offset, bytes)) raise(VECTOR_SS, errorCode);
  }
}
