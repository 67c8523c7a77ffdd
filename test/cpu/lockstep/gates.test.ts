/**
 * INT n and IRET have a shortcut and a procedure. Here both run from states around the common case: flat
 * tables with a few bits turned, stacks at page ends, frames that are nearly right.
 */
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Cpu } from '../../../src/cpu/cpu.js';
import * as E from '../../../src/cpu/eflags.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import { setNullSegment, setSegment, updateMode } from '../../../src/cpu/segmentation.js';
import { architecturalBytes } from '../../../src/cpu/snapshot.js';
import type { SegmentIndex } from '../../../src/cpu/state.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { Procedure } from '../../../src/cpu/system/procedure.js';
import {
  enablePaging,
  enterUser,
  FLAT_DATA0,
  GDT,
  IDT,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_STACK,
  mapPage,
  peek32,
  poke32,
  putVector,
  TSS,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from '../support/bare-core.js';
import { CODE, makeCpu, restart, stepByHandler, stepByNumbers } from './machines.js';
import { NumberOps } from './number-ops.js';

const VECTOR = 0x80;
const HANDLER = 0x21234;
const PRESENT = 7;
const DATA_SEGMENTS: readonly SegmentIndex[] = [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS];
const NOTHING = { isFlipped: false, address: 0, bit: 0 };

/** Mostly none: where several things are amiss at once, the shortcut is never taken. */
function seldom<T>(value: fc.Arbitrary<T>, usual: T): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value });
}

/** Descriptors and gates, of which bits may be turned. */
const PLACES = [
  IDT + VECTOR * 8,
  IDT + VECTOR * 8 + 4,
  ...[KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA].flatMap((selector) => [
    GDT + (selector & ~7),
    GDT + (selector & ~7) + 4,
  ]),
  TSS + 4,
  TSS + 8,
];

const flip = fc.record({
  isFlipped: fc.constant(true),
  address: fc.constantFrom(...PLACES),
  bit: fc.nat(31),
});
const selector = fc.oneof(
  fc.constantFrom(KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA),
  fc.constantFrom(0, 3, KERNEL_CODE | 3, USER_CODE & ~3, KERNEL_CODE | 4, 0x1f8, 0xfff8),
);
const pointer = fc.constantFrom(0x9004, 0x900c, 0x9010, 0x8ff8, 0xa000, 0, 8, 20, -4, 0x3fff8);
const systemFlags = [E.EFLAGS_IF, E.EFLAGS_DF, E.EFLAGS_IOPL, 1 << 12, E.EFLAGS_ID, E.EFLAGS_AC];
const flags = fc
  .record({
    arithmetic: fc.integer().map((bits) => bits & E.EFLAGS_ARITHMETIC),
    system: fc.subarray(systemFlags.slice(0, 4)),
    steady: seldom(fc.subarray([...systemFlags, E.EFLAGS_TF, E.EFLAGS_NT]), []),
  })
  .map(({ arithmetic, system, steady }) =>
    [...system, ...steady].reduce((all, bit) => all | bit, arithmetic | E.EFLAGS_RESERVED1),
  );
const dataSegment = seldom(fc.constantFrom('kernel', 'null', 'null3', 'small'), 'user');

const start = fc.record({
  flips: fc.tuple(seldom(flip, NOTHING), seldom(flip, NOTHING)),
  gate: seldom(fc.constantFrom(0x8e, 0x86, 0x85, 0x0e), 0xee),
  isTrapGate: fc.boolean(),
  isUser: fc.boolean(),
  isIret: fc.boolean(),
  prefixes: seldom<readonly number[]>(fc.constant([0x66]), []),
  pointer: seldom(pointer, KERNEL_STACK - 20),
  flags,
  frame: fc.record({
    isOuter: fc.boolean(),
    code: seldom(selector, -1),
    stack: seldom(selector, -1),
    esp: fc.integer(),
    flags,
    extra: seldom(fc.constantFrom(E.EFLAGS_RF, E.EFLAGS_VM, E.EFLAGS_TF, 1 << 31), 0),
    offset: fc.integer({ min: 0, max: 0x3ffff }),
  }),
  data: fc.tuple(dataSegment, dataSegment, dataSegment, dataSegment),
  idtLimit: seldom(fc.constantFrom(0x406, 0x407, 0x405, 0xffff), 0x7ff),
  gdtLimit: seldom(fc.constantFrom(0x0f, 0x0e, 0x17, 0x27, 0x26), 0x1ff),
  taskLimit: seldom(fc.constantFrom(8, 9, 3), 0x67),
  taskAccess: seldom(fc.constant(0x83), 0x8b),
  paging: fc.constantFrom('none', 'plain', 'plain', 'read-only stack', 'no stack', 'no table'),
  isCold: seldom(fc.constant(true), false),
  isNmiBlocked: seldom(fc.constant(true), false),
  isRequested: seldom(fc.constant(true), false),
  isWatched: seldom(fc.constant(true), false),
});
type Start = typeof start extends fc.Arbitrary<infer T> ? T : never;

const ORDINARY: Start = {
  flips: [NOTHING, NOTHING],
  gate: 0xee,
  isTrapGate: false,
  isUser: false,
  isIret: false,
  prefixes: [],
  pointer: KERNEL_STACK - 20,
  flags: E.EFLAGS_RESERVED1,
  frame: { isOuter: false, code: -1, stack: -1, esp: 0, flags: 2, extra: 0, offset: 0x23456 },
  data: ['user', 'user', 'user', 'user'],
  idtLimit: 0x7ff,
  gdtLimit: 0x1ff,
  taskLimit: 0x67,
  taskAccess: 0x8b,
  paging: 'none',
  isCold: false,
  isNmiBlocked: false,
  isRequested: false,
  isWatched: false,
};

const byShortcut = makeCpu();
const byProcedure = makeCpu();

function setData(cpu: Cpu, segment: SegmentIndex, kind: string): void {
  const { core } = cpu;
  if (kind === 'null' || kind === 'null3') setNullSegment(core, segment, kind === 'null3' ? 3 : 0);
  else if (kind === 'kernel') setSegment(core, segment, KERNEL_DATA, 0, -1, FLAT_DATA0);
  else if (kind === 'small') setSegment(core, segment, USER_DATA, 0, 0xfff, 0x40f3);
}

function load(cpu: Cpu, from: Start): Cpu {
  restart(cpu);
  const { core } = cpu;
  const { state, physical } = core;
  const operation = from.isIret ? [0xcf] : [0xcd, VECTOR];
  physical.load(CODE, Uint8Array.from([0x90, ...from.prefixes, ...operation]));
  // Decoding takes plain writes to all pages away for once: one step ahead has it done.
  cpu.run(1);
  // At CPL 0, too, the data segments are a user program's.
  enterUser(core);
  const isUser = from.isUser && !from.isIret;
  if (!isUser) enterInnermost(cpu);
  putVector(core, VECTOR, KERNEL_CODE, HANDLER, from.gate | (from.isTrapGate ? 1 : 0));
  state.eip = CODE + 1;
  const esp = isUser ? USER_STACK - 8 : from.pointer;
  state.esp = esp;
  if (isUser) poke32(core, TSS + 4, from.pointer);
  const { frame } = from;
  if (from.isIret && esp >= 0 && esp < 0x30000) {
    const codes = frame.isOuter ? [USER_CODE, USER_DATA] : [KERNEL_CODE, KERNEL_DATA];
    poke32(core, esp, frame.offset);
    poke32(core, esp + 4, frame.code < 0 ? codes[0] : frame.code);
    poke32(core, esp + 8, frame.flags | frame.extra);
    poke32(core, esp + 12, frame.esp);
    poke32(core, esp + 16, frame.stack < 0 ? codes[1] : frame.stack);
  }
  for (const { isFlipped, address, bit } of from.flips) {
    if (isFlipped) poke32(core, address, peek32(core, address) ^ (1 << bit));
  }
  from.data.forEach((kind, i) => setData(cpu, DATA_SEGMENTS[i], kind));
  state.set(L.IDTR_LIMIT, from.idtLimit);
  state.set(L.GDTR_LIMIT, from.gdtLimit);
  setSegment(core, L.SEG_TR, 0x28, TSS, from.taskLimit, from.taskAccess);
  E.writeEflags(state, from.flags, -1);
  state.set(L.NMI_BLOCKED, from.isNmiBlocked ? 1 : 0);
  // An interrupt that is let in here would come before the instruction.
  if (from.isRequested && (from.flags & E.EFLAGS_IF) === 0) state.set(L.INTR, 1);
  core.onIret = from.isWatched ? () => undefined : null;
  updateMode(core);
  turnPagingOn(cpu, from);
  if (!from.isCold) warm(cpu);
  return cpu;
}

function enterInnermost(cpu: Cpu): void {
  const { core } = cpu;
  setSegment(core, L.SEG_CS, KERNEL_CODE, 0, -1, 0xc09b);
  setSegment(core, L.SEG_SS, KERNEL_DATA, 0, -1, FLAT_DATA0);
  core.state.set(L.CPL, 0);
  core.state.set(L.TLB_BASE, L.TLB_SUPERVISOR);
}

function turnPagingOn(cpu: Cpu, { paging }: Start): void {
  if (paging === 'none') return;
  const { core } = cpu;
  enablePaging(core, PRESENT);
  if (paging === 'read-only stack') mapPage(core, 8, PRESENT & ~2);
  else if (paging === 'no stack') mapPage(core, 8, PRESENT & ~1);
  else if (paging === 'no table') mapPage(core, 2, PRESENT & ~1);
  core.mmu.flush();
}

/** Has the TLB know what a shortcut needs of it. */
function warm(cpu: Cpu): void {
  const { mmu } = cpu.core;
  for (const page of [1, 2, 3, 4, 8, 9, 0]) {
    try {
      mmu.read(page << 12, 1, false);
      mmu.probeWrite(page << 12, 1, false);
    } catch {
      // Then it is not there.
    }
  }
}

/** What both must leave alike; SHADOW and PENDING_DEBUG are the run loop's. */
function stateWords(cpu: Cpu): Int32Array {
  const words = new Int32Array(architecturalBytes(cpu.core).buffer);
  for (const word of [L.SHADOW, L.PENDING_DEBUG, L.UNRETIRED]) words[word >> 2] = 0;
  for (const word of [L.MODE, L.TLB_BASE]) words[word >> 2] = cpu.core.state.get(word);
  return words;
}

const rows = [0xcd, 0xcf].map((opcode) => I386.entry(opcode).encoding as { procedure: Procedure });

beforeEach(() => vi.restoreAllMocks());

test('a shortcut does what its procedure does, or nothing', () => {
  const calls = rows.map((row) => vi.spyOn(row, 'procedure'));
  const count = () => calls.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  const taken = new Map<string, number>();
  fc.assert(
    fc.property(start, (from) => {
      load(byShortcut, from);
      load(byProcedure, from);
      const before = count();
      const outcome = stepByHandler(byShortcut);
      const way = count() > before ? (outcome ?? 'procedure') : 'shortcut';
      expect(outcome).toBe(stepByNumbers(byProcedure, new NumberOps(byProcedure.core)));
      expect(stateWords(byShortcut)).toEqual(stateWords(byProcedure));
      const memories = [byShortcut, byProcedure].map((cpu) => cpu.core.physical.ram);
      expect(Buffer.compare(memories[0], memories[1])).toBe(0);
      const level = from.isIret ? byShortcut.core.state.cpl : from.isUser ? 3 : 0;
      const kind = `${way} ${from.isIret ? 'iret' : 'int'} ${level}`;
      taken.set(kind, (taken.get(kind) ?? 0) + 1);
    }),
    { numRuns: 4000 },
  );
  const ways = ['shortcut', 'procedure'].flatMap((way) =>
    ['int 0', 'int 3', 'iret 0', 'iret 3'].map((what) => `${way} ${what}`),
  );
  for (const way of ways) expect([way, (taken.get(way) ?? 0) > 20]).toEqual([way, true]);
});

test('an interrupt that an IRET lets in comes before the first instruction returned to', () => {
  const { frame } = ORDINARY;
  const from = { ...ORDINARY, isIret: true, frame: { ...frame, flags: E.EFLAGS_IF | 2 } };
  const cpu = load(byShortcut, from);
  const { state } = cpu.core;
  // What is returned to is decoded already, so that the engine would go on there by itself.
  state.eip = frame.offset;
  cpu.run(cpu.instant + 1);
  state.eip = CODE + 1;
  const seen: number[] = [];
  cpu.onDelivery = (_vector, _kind, eip) => seen.push(eip, cpu.instant);
  cpu.setInterruptLine(true);
  cpu.run(cpu.instant + 2);
  expect(seen).toEqual([frame.offset, 3]);
});
