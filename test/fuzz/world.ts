/**
 * The world that a stream of random instructions starts in: a mode, tables, stacks, tasks and pages
 * that mostly make sense, each with something odd about it now and then.
 */
import { CR0_PE, CR0_PG, CR4_PAE, CR4_PSE } from '../../src/cpu/control-registers.js';
import type { Cpu } from '../../src/cpu/cpu.js';
import { Descriptor } from '../../src/cpu/descriptors.js';
import { EFLAGS_VM, writeEflags } from '../../src/cpu/eflags.js';
import { loadPageDirectoryPointers } from '../../src/cpu/page-directory-pointers.js';
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
import { Memory } from './memory.js';
import { makePaePages, makePages } from './pages.js';
import { anyFlags, Tables } from './tables.js';
import { fillX87 } from './x87.js';

export type Mode = 'real' | 'virtual-8086' | 'protected';

const MODES: readonly Mode[] = ['real', 'virtual-8086', 'protected', 'protected', 'protected'];
const DATA_SEGMENTS: readonly SegmentIndex[] = [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS];
const ALL_SEGMENTS: readonly SegmentIndex[] = [L.SEG_CS, L.SEG_SS, ...DATA_SEGMENTS];
/** A number of bytes that divides no page, so that pages begin differently. */
const TILE = 340;
const CR0_RANDOM = 0x0005002e; // AM, WP, NE, TS, EM, MP
const CR4_RANDOM = 0x28c; // OSFXSR, PGE, DE, TSD

/** Makes worlds in the RAM of one processor. */
export class World {
  readonly #cpu: Cpu;
  readonly #choices: Choices;
  readonly #memory: Memory;

  constructor(cpu: Cpu, choices: Choices) {
    this.#cpu = cpu;
    this.#choices = choices;
    this.#memory = new Memory(cpu);
  }

  /** Fills RAM and registers; the processor is then at instant 0 of a new stream. */
  make(): void {
    const choices = this.#choices;
    const { bytes } = this.#memory;
    const mode = choices.pick(MODES);
    const is32 = mode === 'protected' && !choices.oneIn(4);
    const cpl =
      mode === 'protected' ? choices.pick([0, 0, 0, 1, 2, 3, 3, 3]) : mode === 'real' ? 0 : 3;
    this.#cpu.reset();
    bytes.fill(0);
    for (let at = M.DATA; at < M.DATA + TILE; at += 4) this.#memory.put32(at, anyValue(choices));
    this.#memory.repeat(M.DATA, M.RAM_BYTES, TILE);
    fillWithCode(choices, bytes, M.CODE, M.CODE + TILE, is32);
    this.#memory.repeat(M.CODE, M.CODE_END, TILE);
    const tables = new Tables(choices, this.#memory);
    if (mode === 'real') tables.realVectors();
    else tables.protectedMode(cpl, is32);
    tables.tasks();
    this.#registers();
    this.#control(mode);
    this.#segments(mode, cpl);
    this.#place(mode);
    // Derived state follows the words that were set.
    setCpl(this.#cpu.core, cpl);
    this.#cpu.restore(this.#cpu.save());
  }

  #registers(): void {
    const choices = this.#choices;
    const { state, model } = this.#cpu.core;
    for (let i = 0; i < 8; i++) state.setReg32(i, anyValue(choices));
    if (choices.oneIn(2)) state.set(L.ECX, choices.below(20));
    writeEflags(state, anyFlags(choices) & ~EFLAGS_VM & model.eflags, -1);
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
    fillX87(choices, state);
  }

  /** CR0, CR3, CR4, page tables, and the registers that name the descriptor tables. */
  #control(mode: Mode): void {
    const choices = this.#choices;
    const { core } = this.#cpu;
    const { state, model } = core;
    const cr0 = 0x10 | (choices.oneIn(2) ? choices.word() & CR0_RANDOM & model.cr0 : 0);
    state.set(L.CR4, choices.word() & CR4_RANDOM & model.cr4);
    if (mode === 'real') {
      state.set(L.CR0, cr0);
      state.set(L.IDTR_BASE, 0);
      state.set(L.IDTR_LIMIT, choices.oneIn(8) ? choices.below(0x400) : 0x3ff);
      return;
    }
    state.set(L.CR0, cr0 | CR0_PE);
    state.set(L.GDTR_BASE, M.GDT);
    state.set(L.GDTR_LIMIT, choices.oneIn(10) ? choices.below(0x200) : M.GDT_ENTRIES * 8 - 1);
    state.set(L.IDTR_BASE, M.IDT);
    state.set(L.IDTR_LIMIT, choices.oneIn(10) ? choices.below(0x800) : 0x7ff);
    if (!choices.oneIn(2)) return;
    state.set(L.CR0, cr0 | CR0_PE | CR0_PG);
    state.set(L.CR3, M.DIRECTORY);
    const isPae = choices.oneIn(4) && (model.cr4 & CR4_PAE) !== 0;
    if (isPae) {
      makePaePages(choices, this.#memory);
      state.set(L.CR4, state.cr4 | CR4_PAE);
      loadPageDirectoryPointers(core, M.DIRECTORY);
    } else {
      if (choices.oneIn(2)) state.set(L.CR4, state.cr4 | (CR4_PSE & model.cr4));
      makePages(choices, this.#memory, (state.cr4 & CR4_PSE) !== 0);
    }
  }

  #segments(mode: Mode, cpl: number): void {
    const choices = this.#choices;
    const { core } = this.#cpu;
    if (mode === 'real') {
      this.#unreal();
      this.#realSegments();
      return;
    }
    this.#load(L.SEG_TR, M.TSS_SELECTOR);
    this.#load(L.SEG_LDTR, M.LDT_SELECTOR);
    if (mode === 'virtual-8086') {
      writeEflags(core.state, EFLAGS_VM, EFLAGS_VM);
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

  /** Takes a segment register's content from its descriptor, which is made good for it first. */
  #load(segment: SegmentIndex, selector: number): void {
    const { bytes } = this.#memory;
    const at = M.GDT + (selector & 0xfff8);
    if (segment !== L.SEG_TR && segment !== L.SEG_LDTR) {
      const isCode = segment === L.SEG_CS;
      const fixed = bytes[at + 5] & (isCode ? 0x66 : 0x64);
      bytes[at + 5] = fixed | (isCode ? 0x99 : 0x93);
      if (isCode || segment === L.SEG_SS) {
        bytes[at + 5] = (bytes[at + 5] & ~0x60) | ((selector & 3) << 5);
      }
    }
    const descriptor = new Descriptor();
    descriptor.low = this.#memory.get32(at);
    descriptor.high = this.#memory.get32(at + 4);
    setSegmentFrom(this.#cpu.core, segment, selector, descriptor);
  }

  #realSegments(): void {
    for (const segment of ALL_SEGMENTS) {
      const selector = this.#choices.oneIn(10) ? 0xffff : this.#choices.pick([0, 0, 1, 0x100]);
      setRealSegment(this.#cpu.core, segment, segment === L.SEG_CS ? 0 : selector);
    }
  }

  /** Now and then segments of real mode are larger than 64 KiB, or CS and SS 32 bits wide. */
  #unreal(): void {
    const choices = this.#choices;
    for (const segment of ALL_SEGMENTS) {
      if (!choices.oneIn(12)) continue;
      const limit = choices.pick([-1, 0xfffff, 0xfff, 0x9fff]);
      setSegment(this.#cpu.core, segment, 0, 0, limit, 0x93 | (choices.oneIn(2) ? 0x4000 : 0));
    }
  }

  /** Where the stream begins, and where its stack is. */
  #place(mode: Mode): void {
    const choices = this.#choices;
    const { state } = this.#cpu.core;
    state.eip = M.CODE + choices.pick([0, 0, 0xff0, choices.below(0x1ff0)]);
    if (mode === 'protected' && choices.oneIn(30)) {
      state.eip = choices.pick([-16, -4, 0xfff0, 0xfffa]);
    }
    if (choices.oneIn(12)) return;
    const cpl = mode === 'protected' ? state.selector(L.SEG_CS) & 3 : 3;
    state.esp = M.STACKS + (cpl + 1) * M.STACK_BYTES - choices.pick([0, 0, 64, choices.below(64)]);
    if (choices.oneIn(4)) state.esp = choices.pick([7, 10, 11, 12]) * 0x1000 + choices.below(24);
    if (choices.oneIn(20)) state.esp = choices.below(10);
  }
}
