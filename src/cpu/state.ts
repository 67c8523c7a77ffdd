/**
 * The processor's state as typed views of the one memory. Names are the manual's; 32-bit values are
 * signed. Derived words (MODE, TLB_BASE, a segment's fast limits) are kept by segmentation.ts.
 */
import * as L from './state-layout.js';

/** An index of `L.SEG_*`: ES, CS, SS, DS, FS, GS, LDTR, TR. */
export type SegmentIndex = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Typed views of the CPU's words in the one memory. Reading and writing them has no side effect. */
export class State {
  readonly memory: WebAssembly.Memory;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly f64: Float64Array;

  /** @param memory of at least RAM_BASE bytes that never grows, since growing detaches the views. */
  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.i32 = new Int32Array(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.u16 = new Uint16Array(memory.buffer);
    this.f64 = new Float64Array(memory.buffer, 0, L.ARCHITECTURAL_END >> 3);
  }

  /** A state word by its offset in bytes. */
  get(offset: number): number {
    return this.i32[offset >>> 2];
  }

  set(offset: number, value: number): void {
    this.i32[offset >>> 2] = value;
  }

  get eip(): number {
    return this.i32[L.EIP >> 2];
  }
  set eip(value: number) {
    this.i32[L.EIP >> 2] = value;
  }
  get esp(): number {
    return this.i32[L.ESP >> 2];
  }
  set esp(value: number) {
    this.i32[L.ESP >> 2] = value;
  }
  get cpl(): number {
    return this.i32[L.CPL >> 2];
  }
  get cr0(): number {
    return this.i32[L.CR0 >> 2];
  }
  get cr4(): number {
    return this.i32[L.CR4 >> 2];
  }

  /** A general register (0 = EAX ... 7 = EDI), all 32 bits. */
  reg32(index: number): number {
    return this.i32[index];
  }
  setReg32(index: number, value: number): void {
    this.i32[index] = value;
  }
  reg16(index: number): number {
    return this.u16[index << 1];
  }
  setReg16(index: number, value: number): void {
    this.u16[index << 1] = value;
  }
  /** A byte register in encoding order: AL CL DL BL AH CH DH BH. */
  reg8(index: number): number {
    return this.u8[((index & 3) << 2) | (index >> 2)];
  }
  setReg8(index: number, value: number): void {
    this.u8[((index & 3) << 2) | (index >> 2)] = value;
  }

  selector(segment: SegmentIndex): number {
    return this.i32[(L.SEGMENTS + segment * L.SEGMENT_BYTES + L.SEGMENT_SELECTOR) >> 2];
  }
  segmentBase(segment: SegmentIndex): number {
    return this.i32[(L.SEGMENTS + segment * L.SEGMENT_BYTES + L.SEGMENT_BASE) >> 2];
  }
  /** The limit in bytes, signed: compare with `>>> 0`. */
  segmentLimit(segment: SegmentIndex): number {
    return this.i32[(L.SEGMENTS + segment * L.SEGMENT_BYTES + L.SEGMENT_LIMIT) >> 2];
  }
  segmentAccess(segment: SegmentIndex): number {
    return this.i32[(L.SEGMENTS + segment * L.SEGMENT_BYTES + L.SEGMENT_ACCESS) >> 2];
  }
}
