/**
 * The world that a stream of random instructions starts in: a mode, tables, stacks, tasks and pages
 * that mostly make sense, each with something odd about it now and then.
 */
import type { Cpu } from '../../src/cpu/cpu.js';
import { Descriptor } from '../../src/cpu/descriptors.js';
import { EFLAGS_VM, writeEflags } from '../../src/cpu/eflags.js';
import {
  setCpl,
  setNullSegment,
  setRealSegment,
  setSegment,
  setSegmentFrom,
} from '../../src/cpu/segmentation.js';
import type { SegmentIndex } from '../../src/cpu/state.js';
import * as L from '../../src/cpu/state-layout.js';
import type { Choices } from './choices.js';
import { anySelector, anyValue, fillWithCode } from './code.js';
import * as M from './layout.js';

export type Mode = 'real' | 'virtual-8086' | 'protected';

const DATA_SEGMENTS: readonly SegmentIndex[] = [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS];
/** A number of bytes that divides no page, so that pages begin differently. */
const TILE = 1004;
const EFLAGS_STATUS = 0x8d5;
const EFLAGS_DF = 0x400;
const EFLAGS_IF = 0x200;
const CR0_RANDOM = 0x0005002e; // AM, WP, NE, TS, EM, MP
const CR4_RANDOM = 0x8c; // PGE, DE, TSD

/** Makes worlds in the RAM of one processor. */
export class World {
  readonly #cpu: Cpu;
  readonly #choices: Choices;
  readonly #ram: Uint8Array;
  readonly #view: DataView;

  constructor(cpu: Cpu, choices: Choices) {
    this.#cpu = cpu;
    this.#choices = choices;
    this.#ram = cpu.core.physical.ram;
    this.#view = new DataView(this.#ram.buffer, L.RAM_BASE, M.RAM_BYTES);
  }

  /** Fills RAM and registers; the processor is then at instant 0 of a new stream. */
  make(): void {
    const choices = this.#choices;
    const mode = choices.pick<Mode>([
      'real',
      'virtual-8086',
      'protected',
      'protected',
      'protected',
    ]);
    this.#cpu.reset();
    this.#ram.fill(0);
    for (let at = M.DATA; at < M.DATA + TILE; at += 4) this.#put32(at, anyValue(choices));
    this.#tile(M.DATA, M.RAM_BYTES);
    const is32 = mode === 'protected' && !choices.oneIn(4);
    const cpl =
      mode === 'protected' ? choices.pick([0, 0, 0, 1, 2, 3, 3, 3]) : mode === 'real' ? 0 : 3;
    if (mode === 'real') this.#realVectors();
    else this.#tables(cpl, is32);
    fillWithCode(choices, this.#ram, M.CODE, M.CODE + TILE, is32);
    this.#tile(M.CODE, M.CODE_END);
    this.#tasks();
    this.#registers();
    this.#segments(mode, cpl);
    this.#place(mode);
    // Derived state follows the words that were set.
    setCpl(this.#cpu.core, cpl);
    this.#cpu.restore(this.#cpu.save());
  }

  /** Repeats the first TILE bytes of a range, since making them anew takes longer than running them. */
  #tile(start: number, end: number): void {
    for (let at = start + TILE; at < end; at += TILE) {
      this.#ram.copyWithin(at, start, Math.min(start + TILE, start + end - at));
    }
  }

  #put16(at: number, value: number): void {
    this.#view.setUint16(at, value & 0xffff, true);
  }

  #put32(at: number, value: number): void {
    this.#view.setInt32(at, value, true);
  }

  /** All vectors of real mode lead to a handler that steps over a byte. */
  #realVectors(): void {
    // push bp; mov bp, sp; inc word [bp + 2]; pop bp; iret
    this.#ram.set([0x55, 0x89, 0xe5, 0xff, 0x46, 0x02, 0x5d, 0xcf], M.HANDLERS);
    for (let vector = 0; vector < 256; vector++) {
      this.#put32(vector * 4, this.#choices.oneIn(30) ? this.#choices.word() : M.HANDLERS);
    }
  }

  #tables(cpl: number, is32: boolean): void {
    const choices = this.#choices;
    for (let at = M.GDT; at < M.GDT + M.GDT_ENTRIES * 8; at += 8) this.#anyDescriptor(at);
    for (let at = M.LDT; at < M.LDT + M.LDT_ENTRIES * 8; at += 8) this.#anyDescriptor(at);
    for (let level = 0; level < 4; level++) {
      const dpl = level << 5;
      const big = level === cpl ? (is32 ? 0x4000 : 0) : choices.oneIn(5) ? 0 : 0x4000;
      const conforming = choices.oneIn(10) ? 4 : 0;
      this.#segmentDescriptor(M.GDT + M.CODE_SELECTOR[level], 0x9b | dpl | big | conforming);
      const bigStack = choices.oneIn(5) ? 0 : 0x4000;
      this.#segmentDescriptor(M.GDT + M.DATA_SELECTOR[level], 0x93 | dpl | bigStack);
    }
    const width = choices.oneIn(5) ? 0 : 8;
    const limit = choices.oneIn(4) ? choices.below(0x400) : 0x67 + choices.below(0x80);
    this.#descriptor(M.GDT + M.TSS_SELECTOR, M.TSS, limit, 0x83 | width);
    this.#descriptor(M.GDT + M.LDT_SELECTOR, M.LDT, M.LDT_ENTRIES * 8 - 1, 0x82);
    this.#descriptor(
      M.GDT + M.TSS_32_SELECTOR,
      M.TSS_32,
      0x67 + choices.below(32),
      this.#oddly(0x89),
    );
    this.#descriptor(
      M.GDT + M.TSS_16_SELECTOR,
      M.TSS_16,
      0x2b + choices.below(32),
      this.#oddly(0x81),
    );
    this.#handlers();
    for (let vector = 0; vector < 256; vector++) this.#vector(M.IDT + vector * 8, vector);
  }

  /** An access byte, now and then of another privilege or absent. */
  #oddly(access: number): number {
    const choices = this.#choices;
    let odd = access;
    if (choices.oneIn(3)) odd |= choices.below(4) << 5;
    if (choices.oneIn(15)) odd ^= 0x80;
    return odd;
  }

  #segmentDescriptor(at: number, access: number): void {
    const choices = this.#choices;
    if (choices.oneIn(6)) {
      const limit = choices.oneIn(2) ? choices.below(0x10000) : choices.below(0x100000);
      const granularity = choices.oneIn(3) ? 0x8000 : 0;
      const base = choices.oneIn(2) ? 0 : choices.below(0x100);
      this.#descriptor(at, base, limit, this.#odd(access) | granularity);
    } else {
      this.#descriptor(at, 0, 0xfffff, access | 0x8000);
    }
  }

  /** Access rights, now and then with a bit of the type turned over. */
  #odd(access: number): number {
    return this.#choices.oneIn(6) ? access ^ (1 << this.#choices.below(8)) : access;
  }

  #anyDescriptor(at: number): void {
    const choices = this.#choices;
    switch (choices.below(5)) {
      case 0:
        this.#gate(at, choices.pick([0x84, 0x8c, 0x8c, 0x85]));
        break;
      case 1:
        this.#descriptor(at, choices.word(), choices.next(), choices.next() & 0xf0ff);
        break;
      case 2: {
        const big = choices.pick([0, 0x4000, 0xc000]);
        this.#descriptor(at, 0, choices.below(0x10000), 0x90 | choices.below(0x70) | big);
        break;
      }
      default: {
        const base = choices.oneIn(2) ? 0 : choices.below(0x10000);
        const limit = choices.pick([0, 1, 0xff, 0xfff, 0xffff, 0xfffff]);
        this.#descriptor(at, base, limit, (choices.below(0x80) | 0x80 | 0xc000) & 0xf0ff);
      }
    }
  }

  #descriptor(at: number, base: number, limit: number, access: number): void {
    this.#put32(at, (limit & 0xffff) | (base << 16));
    const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (base & 0xff000000);
    this.#put32(at + 4, high);
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
    this.#put32(at, (target << 16) | (offset & 0xffff));
    this.#put32(at + 4, (offset & 0xffff0000) | (this.#oddly(type) << 8) | count);
  }

  /** Handlers that step over a byte or two: 32 and 16 bits wide, without and with an error code. */
  #handlers(): void {
    const step = 1 + this.#choices.below(3);
    this.#ram.set([0x83, 0x04, 0x24, step, 0xcf], M.HANDLERS);
    this.#ram.set([0x83, 0xc4, 0x04, 0x83, 0x04, 0x24, step, 0xcf], M.HANDLERS + 0x10);
    // As they are read in a segment of 32 bits.
    this.#ram.set([0x66, 0x83, 0x04, 0x24, step, 0x66, 0xcf], M.HANDLERS + 0x20);
    this.#ram.set([0x83, 0xc4, 0x02, 0x66, 0x83, 0x04, 0x24, step, 0x66, 0xcf], M.HANDLERS + 0x30);
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
    this.#put32(at, (M.CODE_SELECTOR[0] << 16) | offset);
    this.#put32(at + 4, access << 8);
  }

  #tasks(): void {
    const choices = this.#choices;
    for (let level = 0; level < 3; level++) {
      const top = choices.oneIn(3)
        ? M.STACKS + 0x1000 + choices.below(24)
        : M.STACKS + (level + 1) * M.STACK_BYTES;
      const selector = choices.oneIn(12) ? anySelector(choices) : M.DATA_SELECTOR[level] | level;
      this.#put32(M.TSS + 4 + level * 8, top);
      this.#put32(M.TSS + 8 + level * 8, selector);
    }
    this.#put32(M.TSS + 0x1c, M.DIRECTORY);
    this.#put16(M.TSS + 0x66, choices.below(0x100));
    this.#put16(M.TSS, choices.pick([M.TSS_32_SELECTOR, M.TSS_16_SELECTOR, anySelector(choices)]));
    for (let at = M.TSS + 0x68; at < M.TSS + 0x400; at += 4) this.#put32(at, choices.word());
    this.#task(M.TSS_32, true);
    this.#task(M.TSS_16, false);
  }

  #task(at: number, is32: boolean): void {
    const choices = this.#choices;
    const width = is32 ? 4 : 2;
    const put = (offset: number, value: number): void => {
      if (is32) this.#put32(at + offset, value);
      else this.#put16(at + offset, value);
    };
    this.#put16(at, anySelector(choices));
    for (let i = 0; i < 3 * 2; i++) put(width * (1 + i), anyValue(choices));
    const level = choices.below(4);
    const registers = is32 ? 0x20 : 0x0e;
    put(registers, M.CODE + choices.below(0x1000));
    put(registers + width, this.#anyFlags());
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
      this.#put32(at + 0x1c, M.DIRECTORY);
      this.#put32(at + 0x64, (0x68 << 16) | (choices.below(8) >> 2));
    }
  }

  #anyFlags(): number {
    const choices = this.#choices;
    let flags = choices.word() & EFLAGS_STATUS;
    if (choices.oneIn(2)) flags |= EFLAGS_IF;
    if (choices.oneIn(5)) flags |= EFLAGS_DF;
    if (choices.oneIn(2)) flags |= choices.below(4) << 12;
    // TF, NT, RF, AC, VIF, VIP, ID.
    for (const bit of [8, 14, 16, 18, 19, 20, 21]) if (choices.oneIn(12)) flags |= 1 << bit;
    if (choices.oneIn(30)) flags |= EFLAGS_VM;
    return flags;
  }

  #registers(): void {
    const choices = this.#choices;
    const { state } = this.#cpu.core;
    for (let i = 0; i < 8; i++) state.setReg32(i, anyValue(choices));
    if (choices.oneIn(2)) state.set(L.ECX, choices.below(20));
    writeEflags(state, this.#anyFlags() & ~EFLAGS_VM, -1);
    for (let i = 0; i < 4; i++) {
      const near = choices.pick([M.CODE, M.DATA, M.STACKS]) + choices.below(0x1000);
      state.set(L.DR0 + i * 4, choices.oneIn(2) ? near : anyValue(choices));
    }
    if (choices.oneIn(8)) state.set(L.DR7, (choices.word() & 0xffff2fff) | 0x400);
    const selector = choices.pick([0, M.CODE_SELECTOR[0], anySelector(choices)]);
    state.set(L.MSR_SYSENTER_CS, selector);
    state.set(L.MSR_SYSENTER_ESP, M.STACKS + choices.below(0x1000));
    state.set(L.MSR_SYSENTER_EIP, M.CODE + choices.below(0x2000));
    if (choices.oneIn(10)) state.set(L.SHADOW, choices.below(3));
    state.set(L.NMI_BLOCKED, choices.below(2));
    state.set(L.NMI_PENDING, choices.oneIn(10) ? 1 : 0);
  }

  #segments(mode: Mode, cpl: number): void {
    const choices = this.#choices;
    const { core } = this.#cpu;
    const { state } = core;
    let cr0 = 0x10 | (choices.oneIn(2) ? choices.word() & CR0_RANDOM : 0);
    if (mode === 'real') {
      state.set(L.CR0, cr0);
      this.#unreal();
      this.#realSegments();
      state.set(L.IDTR_BASE, 0);
      state.set(L.IDTR_LIMIT, choices.oneIn(8) ? choices.below(0x400) : 0x3ff);
      return;
    }
    cr0 |= 1;
    state.set(L.GDTR_BASE, M.GDT);
    state.set(L.GDTR_LIMIT, choices.oneIn(10) ? choices.below(0x200) : M.GDT_ENTRIES * 8 - 1);
    state.set(L.IDTR_BASE, M.IDT);
    state.set(L.IDTR_LIMIT, choices.oneIn(10) ? choices.below(0x800) : 0x7ff);
    state.set(L.CR4, choices.word() & CR4_RANDOM);
    if (choices.oneIn(2)) {
      this.#pages();
      cr0 |= 0x80000000;
      state.set(L.CR3, M.DIRECTORY);
      if (choices.oneIn(2)) state.set(L.CR4, state.cr4 | 0x10);
    }
    state.set(L.CR0, cr0);
    this.#load(L.SEG_TR, M.TSS_SELECTOR);
    this.#load(L.SEG_LDTR, M.LDT_SELECTOR);
    if (mode === 'virtual-8086') {
      writeEflags(state, EFLAGS_VM, EFLAGS_VM);
      this.#realSegments();
      return;
    }
    this.#load(L.SEG_CS, M.CODE_SELECTOR[cpl] | cpl);
    this.#load(L.SEG_SS, M.DATA_SELECTOR[cpl] | cpl);
    for (const segment of DATA_SEGMENTS) {
      if (choices.oneIn(10)) setNullSegment(core, segment, choices.below(4));
      else this.#load(segment, M.DATA_SELECTOR[choices.pick([cpl, 3])] | cpl);
    }
  }

  /** Takes a segment register's content from its descriptor, whose P bit and S bit are made good. */
  #load(segment: SegmentIndex, selector: number): void {
    const { core } = this.#cpu;
    const descriptor = new Descriptor();
    const at = M.GDT + (selector & 0xfff8);
    const isSystem = segment === L.SEG_TR || segment === L.SEG_LDTR;
    if (!isSystem) {
      const isCode = segment === L.SEG_CS;
      const fixed = this.#ram[at + 5] & (isCode ? 0x66 : 0x64);
      this.#ram[at + 5] = fixed | (isCode ? 0x99 : 0x93);
      // Privilege as the selector's; conforming code may be of more.
      if (isCode || segment === L.SEG_SS) {
        this.#ram[at + 5] = (this.#ram[at + 5] & ~0x60) | ((selector & 3) << 5);
      }
    }
    descriptor.low = this.#view.getInt32(at, true);
    descriptor.high = this.#view.getInt32(at + 4, true);
    setSegmentFrom(core, segment, selector, descriptor);
  }

  #realSegments(): void {
    const segments: readonly SegmentIndex[] = [L.SEG_CS, L.SEG_SS, ...DATA_SEGMENTS];
    for (const segment of segments) {
      const selector = this.#choices.oneIn(10) ? 0xffff : this.#choices.pick([0, 0, 1, 0x100]);
      setRealSegment(this.#cpu.core, segment, segment === L.SEG_CS ? 0 : selector);
    }
  }

  /** Now and then segments of real mode are larger than 64 KiB, or CS and SS 32 bits wide. */
  #unreal(): void {
    const choices = this.#choices;
    const segments: readonly SegmentIndex[] = [L.SEG_CS, L.SEG_SS, ...DATA_SEGMENTS];
    for (const segment of segments) {
      if (!choices.oneIn(12)) continue;
      const limit = choices.pick([-1, 0xfffff, 0xfff, 0x9fff]);
      setSegment(this.#cpu.core, segment, 0, 0, limit, 0x93 | (choices.oneIn(2) ? 0x4000 : 0));
    }
  }

  #pages(): void {
    const choices = this.#choices;
    const present = 3;
    this.#put32(M.DIRECTORY, M.LOW_TABLE | present | 4 | (choices.oneIn(10) ? 0 : 0x20));
    this.#put32(M.DIRECTORY + 0xffc, M.HIGH_TABLE | present | 4);
    for (let i = 1; i < 16; i++) this.#put32(M.DIRECTORY + i * 4, choices.word());
    for (let page = 0; page < 64; page++) {
      let entry = page * 0x1000;
      if (page >= 6 && choices.oneIn(10)) entry = choices.below(20) * 0x1000;
      entry |= page < 6 && !choices.oneIn(8) ? present : this.#rights();
      if (page > 15 && choices.oneIn(2)) entry = choices.word();
      this.#put32(M.LOW_TABLE + page * 4, entry);
    }
    for (let i = 0; i < 8; i++) {
      this.#put32(M.HIGH_TABLE + 0xffc - i * 4, choices.below(16) * 0x1000 + this.#rights());
    }
  }

  #rights(): number {
    const choices = this.#choices;
    let bits = 0;
    if (!choices.oneIn(12)) bits |= 1;
    if (!choices.oneIn(6)) bits |= 2;
    if (!choices.oneIn(6)) bits |= 4;
    if (choices.oneIn(2)) bits |= 0x20;
    if (choices.oneIn(2)) bits |= 0x40;
    if (choices.oneIn(20)) bits |= choices.below(8) << 7;
    return bits;
  }

  /** Where the stream begins, and where its stack is. */
  #place(mode: Mode): void {
    const choices = this.#choices;
    const { state } = this.#cpu.core;
    state.eip = M.CODE + choices.pick([0, 0, 0xff0, choices.below(0x1ff0)]);
    if (mode === 'protected' && choices.oneIn(30))
      state.eip = choices.pick([-16, -4, 0xfff0, 0xfffa]);
    if (choices.oneIn(12)) return;
    const cpl = mode === 'protected' ? state.selector(L.SEG_CS) & 3 : 3;
    state.esp = M.STACKS + (cpl + 1) * M.STACK_BYTES - choices.pick([0, 0, 64, choices.below(64)]);
    if (choices.oneIn(4)) state.esp = choices.pick([7, 10, 11, 12]) * 0x1000 + choices.below(24);
    if (choices.oneIn(20)) state.esp = choices.below(10);
  }
}
