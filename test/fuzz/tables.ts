/** Descriptor tables, gates, handlers and tasks that mostly make sense. */
import { EFLAGS_DF, EFLAGS_IF, EFLAGS_VM } from '../../src/cpu/eflags.js';
import type { Choices } from './choices.js';
import { anySelector, anyValue } from './code.js';
import * as M from './layout.js';
import type { Memory } from './memory.js';

const EFLAGS_STATUS = 0x8d5;
/** Tables begin with so many random ones, which then repeat. */
const SOME_DESCRIPTORS = 16;
/** The processor's own and some of the others, which then repeat. */
const SOME_VECTORS = 0x28;
const TF_NT_RF_AC_ID = [8, 14, 16, 18, 21];

/** EFLAGS with each system flag set now and then. */
export function anyFlags(choices: Choices): number {
  let flags = choices.word() & EFLAGS_STATUS;
  if (choices.oneIn(2)) flags |= EFLAGS_IF;
  if (choices.oneIn(5)) flags |= EFLAGS_DF;
  if (choices.oneIn(2)) flags |= choices.below(4) << 12;
  for (const bit of TF_NT_RF_AC_ID) if (choices.oneIn(12)) flags |= 1 << bit;
  if (choices.oneIn(30)) flags |= EFLAGS_VM;
  return flags;
}

/** Fills the tables of a world. */
export class Tables {
  readonly #choices: Choices;
  readonly #memory: Memory;

  constructor(choices: Choices, memory: Memory) {
    this.#choices = choices;
    this.#memory = memory;
  }

  /** All vectors of real mode lead to a handler that steps over a byte. */
  realVectors(): void {
    // push bp; mov bp, sp; inc word [bp + 2]; pop bp; iret
    this.#memory.bytes.set([0x55, 0x89, 0xe5, 0xff, 0x46, 0x02, 0x5d, 0xcf], M.HANDLERS);
    for (let vector = 0; vector < SOME_VECTORS; vector++) {
      const entry = this.#choices.oneIn(30) ? this.#choices.word() : M.HANDLERS;
      this.#memory.put32(vector * 4, entry);
    }
    this.#memory.repeat(0x20 * 4, 0x100 * 4, (SOME_VECTORS - 0x20) * 4);
  }

  /** GDT, LDT and IDT. @param is32 CS of this CPL has its D bit set. */
  protectedMode(cpl: number, is32: boolean): void {
    const choices = this.#choices;
    const memory = this.#memory;
    const someBytes = SOME_DESCRIPTORS * 8;
    for (const table of [M.GDT, M.LDT]) {
      for (let at = table; at < table + someBytes; at += 8) this.#anyDescriptor(at);
    }
    memory.repeat(M.GDT, M.GDT + M.GDT_ENTRIES * 8, someBytes);
    memory.repeat(M.LDT, M.LDT + M.LDT_ENTRIES * 8, someBytes);
    for (let level = 0; level < 4; level++) {
      const dpl = level << 5;
      const big = level === cpl ? (is32 ? 0x4000 : 0) : choices.oneIn(5) ? 0 : 0x4000;
      const conforming = choices.oneIn(10) ? 4 : 0;
      this.#segment(M.GDT + M.CODE_SELECTOR[level], 0x9b | dpl | big | conforming);
      const bigStack = choices.oneIn(5) ? 0 : 0x4000;
      this.#segment(M.GDT + M.DATA_SELECTOR[level], 0x93 | dpl | bigStack);
    }
    const width = choices.oneIn(5) ? 0 : 8;
    const limit = choices.oneIn(4) ? choices.below(0x400) : 0x67 + choices.below(0x80);
    memory.putDescriptor(M.GDT + M.TSS_SELECTOR, M.TSS, limit, 0x83 | width);
    memory.putDescriptor(M.GDT + M.LDT_SELECTOR, M.LDT, M.LDT_ENTRIES * 8 - 1, 0x82);
    const limit32 = 0x67 + choices.below(32);
    memory.putDescriptor(M.GDT + M.TSS_32_SELECTOR, M.TSS_32, limit32, this.#oddly(0x89));
    const limit16 = 0x2b + choices.below(32);
    memory.putDescriptor(M.GDT + M.TSS_16_SELECTOR, M.TSS_16, limit16, this.#oddly(0x81));
    this.#handlers();
    for (let vector = 0; vector < SOME_VECTORS; vector++) this.#vector(M.IDT + vector * 8, vector);
    memory.repeat(M.IDT + 0x20 * 8, M.IDT + 0x100 * 8, (SOME_VECTORS - 0x20) * 8);
  }

  /** The TSS of the present task and the two others. */
  tasks(): void {
    const choices = this.#choices;
    const memory = this.#memory;
    for (let level = 0; level < 3; level++) {
      const top = choices.oneIn(3)
        ? M.STACKS + 0x1000 + choices.below(24)
        : M.STACKS + (level + 1) * M.STACK_BYTES;
      const selector = choices.oneIn(12) ? anySelector(choices) : M.DATA_SELECTOR[level] | level;
      memory.put32(M.TSS + 4 + level * 8, top);
      memory.put32(M.TSS + 8 + level * 8, selector);
    }
    memory.put32(M.TSS + 0x1c, M.DIRECTORY);
    memory.put16(M.TSS + 0x66, choices.below(0x100));
    const link = choices.pick([M.TSS_32_SELECTOR, M.TSS_16_SELECTOR, anySelector(choices)]);
    memory.put16(M.TSS, link);
    for (let at = M.TSS + 0x68; at < M.TSS + 0xa8; at += 4) memory.put32(at, choices.word());
    memory.repeat(M.TSS + 0x68, M.TSS + 0x400, 0x40);
    this.#task(M.TSS_32, true);
    this.#task(M.TSS_16, false);
  }

  #task(at: number, is32: boolean): void {
    const choices = this.#choices;
    const memory = this.#memory;
    const width = is32 ? 4 : 2;
    const put = (offset: number, value: number): void => {
      if (is32) memory.put32(at + offset, value);
      else memory.put16(at + offset, value);
    };
    memory.put16(at, anySelector(choices));
    for (let i = 0; i < 3 * 2; i++) put(width * (1 + i), anyValue(choices));
    const level = choices.below(4);
    const registers = is32 ? 0x20 : 0x0e;
    put(registers, M.CODE + choices.below(0x1000));
    put(registers + width, anyFlags(choices));
    for (let i = 2; i < 10; i++) put(registers + width * i, anyValue(choices));
    put(registers + width * 6, M.STACKS + (level + 1) * M.STACK_BYTES);
    const segments = is32 ? 0x48 : 0x22;
    for (let i = 0; i < (is32 ? 6 : 4); i++) {
      const usual = i === 1 ? M.CODE_SELECTOR[level] : M.DATA_SELECTOR[level];
      put(segments + i * width, choices.oneIn(20) ? anySelector(choices) : usual | level);
    }
    put(
      is32 ? 0x60 : 0x2a,
      choices.pick([0, M.LDT_SELECTOR, M.LDT_SELECTOR, anySelector(choices)]),
    );
    if (is32) {
      memory.put32(at + 0x1c, M.DIRECTORY);
      memory.put32(at + 0x64, (0x68 << 16) | (choices.oneIn(8) ? 1 : 0));
    }
  }

  /** An access byte, now and then of another privilege or absent. */
  #oddly(access: number): number {
    const choices = this.#choices;
    let odd = access;
    if (choices.oneIn(3)) odd |= choices.below(4) << 5;
    if (choices.oneIn(15)) odd ^= 0x80;
    return odd;
  }

  #segment(at: number, access: number): void {
    const choices = this.#choices;
    if (choices.oneIn(6)) {
      const limit = choices.oneIn(2) ? choices.below(0x10000) : choices.below(0x100000);
      const granularity = choices.oneIn(3) ? 0x8000 : 0;
      const base = choices.oneIn(2) ? 0 : choices.below(0x100);
      const odd = choices.oneIn(6) ? access ^ (1 << choices.below(8)) : access;
      this.#memory.putDescriptor(at, base, limit, odd | granularity);
    } else {
      this.#memory.putDescriptor(at, 0, 0xfffff, access | 0x8000);
    }
  }

  #anyDescriptor(at: number): void {
    const choices = this.#choices;
    const memory = this.#memory;
    switch (choices.below(5)) {
      case 0:
        this.#gate(at, choices.pick([0x84, 0x8c, 0x8c, 0x85]));
        break;
      case 1:
        memory.putDescriptor(at, choices.word(), choices.next(), choices.next() & 0xf0ff);
        break;
      case 2: {
        const big = choices.pick([0, 0x4000, 0xc000]);
        memory.putDescriptor(at, 0, choices.below(0x10000), 0x90 | choices.below(0x70) | big);
        break;
      }
      default: {
        const base = choices.oneIn(2) ? 0 : choices.below(0x10000);
        const limit = choices.pick([0, 1, 0xff, 0xfff, 0xffff, 0xfffff]);
        memory.putDescriptor(at, base, limit, choices.below(0x80) | 0xc080);
      }
    }
  }

  #gate(at: number, type: number): void {
    const choices = this.#choices;
    const target =
      (type & 0xf) === 5
        ? choices.pick([M.TSS_32_SELECTOR, M.TSS_16_SELECTOR, M.TSS_SELECTOR, anySelector(choices)])
        : choices.oneIn(4)
          ? anySelector(choices)
          : choices.pick(M.CODE_SELECTOR);
    const offset = choices.oneIn(8) ? choices.word() : M.CODE + choices.below(0x2000);
    const count = choices.oneIn(2) ? choices.below(256) : choices.below(4);
    this.#memory.put32(at, (target << 16) | (offset & 0xffff));
    this.#memory.put32(at + 4, (offset & 0xffff0000) | (this.#oddly(type) << 8) | count);
  }

  /** Handlers that step over a byte or two: 32 and 16 bits wide, without and with an error code. */
  #handlers(): void {
    const step = 1 + this.#choices.below(3);
    const { bytes } = this.#memory;
    bytes.set([0x83, 0x04, 0x24, step, 0xcf], M.HANDLERS);
    bytes.set([0x83, 0xc4, 0x04, 0x83, 0x04, 0x24, step, 0xcf], M.HANDLERS + 0x10);
    // As they are read in a segment of 32 bits.
    bytes.set([0x66, 0x83, 0x04, 0x24, step, 0x66, 0xcf], M.HANDLERS + 0x20);
    bytes.set([0x83, 0xc4, 0x02, 0x66, 0x83, 0x04, 0x24, step, 0x66, 0xcf], M.HANDLERS + 0x30);
  }

  #vector(at: number, vector: number): void {
    const choices = this.#choices;
    if (choices.oneIn(12)) {
      this.#gate(at, choices.pick([0x86, 0x87, 0x8e, 0x8f, 0x85, 0x80 | choices.below(16)]));
      return;
    }
    const hasError = vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
    const is32 = !choices.oneIn(5);
    const offset = M.HANDLERS + (hasError ? 0x10 : 0) + (is32 ? 0 : 0x20);
    const dpl = choices.oneIn(2) ? 0x60 : 0;
    const access = (is32 ? 0x8e : 0x86) | dpl | choices.below(2);
    this.#memory.put32(at, (M.CODE_SELECTOR[0] << 16) | offset);
    this.#memory.put32(at + 4, access << 8);
  }
}
