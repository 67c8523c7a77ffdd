/**
 * D8 to DF: which instruction an escape opcode and its ModRM byte name, and what happens around every
 * one of them. Intel SDM vol. 2D, tables; aliases of register forms as processors have them.
 */
import { CR0_EM, CR0_TS } from '../control-registers.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_NM, VECTOR_UD } from '../fault.js';
import type { CpuLevel } from '../model.js';
import * as L from '../state-layout.js';
import { effectiveAddress } from '../system/operands.js';
import type { Procedure } from '../system/procedure.js';
import { FPU_C1, FPU_ES } from './control-status.js';
import { signalError, waitsForHandler } from './error-line.js';
import * as a from './instructions/arithmetic.js';
import * as cmp from './instructions/compare.js';
import * as ctl from './instructions/control.js';
import * as env from './instructions/environment.js';
import * as ld from './instructions/load.js';
import * as stk from './instructions/stack.js';
import * as st from './instructions/store.js';
import * as tr from './instructions/transcendental.js';
import { withSummary } from './registers.js';
import { unit } from './unit.js';

/** How an instruction is embedded. */
interface Escape {
  readonly procedure: Procedure;
  /** It looks at an exception that waits, as WAIT does. */
  readonly waits: boolean;
  /** It is remembered as the last instruction, and concludes with the status word. */
  readonly isNumeric: boolean;
  /** The first processor that has it: FCMOV and FCOMI came with the P6. */
  readonly level: CpuLevel;
}

function numeric(procedure: Procedure, level: CpuLevel = 386): Escape {
  return { procedure, waits: true, isNumeric: true, level };
}
/** FLDCW, FLDENV, FRSTOR. */
function control(procedure: Procedure): Escape {
  return { procedure, waits: true, isNumeric: false, level: 386 };
}
/** FNINIT and all others that begin with FN. */
function noWait(procedure: Procedure): Escape {
  return { procedure, waits: false, isNumeric: false, level: 386 };
}

const MEMORY_FORMS = 8;
const REGISTER_FORMS = 64;
/** By opcode and ModRM's reg, then by opcode and the low six bits of ModRM. Null is #UD. */
const memoryForms = new Array<Escape | null>(8 * MEMORY_FORMS).fill(null);
const registerForms = new Array<Escape | null>(8 * REGISTER_FORMS).fill(null);

/** D8 to DF, /reg with a memory operand. */
function memory(opcode: number, reg: number, escape: Escape): void {
  memoryForms[(opcode & 7) * MEMORY_FORMS + reg] = escape;
}
/** The eight register forms from `modrm` on, one for each ST(i). */
function eight(opcode: number, modrm: number, escape: Escape): void {
  for (let i = 0; i < 8; i++) one(opcode, modrm + i, escape);
}
function one(opcode: number, modrm: number, escape: Escape): void {
  registerForms[(opcode & 7) * REGISTER_FORMS + (modrm & (REGISTER_FORMS - 1))] = escape;
}

function defineArithmetic(): void {
  const reads: readonly (readonly [number, a.ReadOperand])[] = [
    [0xd8, a.readSingle],
    [0xda, a.readDoubleword],
    [0xdc, a.readDouble],
    [0xde, a.readWord],
  ];
  a.OPERATIONS.forEach((operate, reg) => {
    if (operate === null) return;
    for (const [opcode, read] of reads) memory(opcode, reg, numeric(a.withMemory(operate, read)));
    const modrm = 0xc0 | (reg << 3);
    eight(0xd8, modrm, numeric(a.intoTop(operate)));
    eight(0xdc, modrm, numeric(a.intoOther(operate, false)));
    eight(0xde, modrm, numeric(a.intoOther(operate, true)));
  });
  for (const [opcode, read] of reads) {
    memory(opcode, 2, numeric(cmp.compareMemory(read, 0)));
    memory(opcode, 3, numeric(cmp.compareMemory(read, 1)));
  }
}

function defineComparisons(): void {
  const fcom = numeric(cmp.compareRegister(false, 0));
  const fcomp = numeric(cmp.compareRegister(false, 1));
  eight(0xd8, 0xd0, fcom);
  eight(0xdc, 0xd0, fcom);
  eight(0xd8, 0xd8, fcomp);
  eight(0xdc, 0xd8, fcomp);
  eight(0xde, 0xd0, fcomp);
  one(0xde, 0xd9, numeric(cmp.compareRegister(false, 2)));
  eight(0xdd, 0xe0, numeric(cmp.compareRegister(true, 0)));
  eight(0xdd, 0xe8, numeric(cmp.compareRegister(true, 1)));
  one(0xda, 0xe9, numeric(cmp.compareRegister(true, 2)));
  eight(0xdb, 0xe8, numeric(cmp.compareIntoEflags(true, 0), 686));
  eight(0xdb, 0xf0, numeric(cmp.compareIntoEflags(false, 0), 686));
  eight(0xdf, 0xe8, numeric(cmp.compareIntoEflags(true, 1), 686));
  eight(0xdf, 0xf0, numeric(cmp.compareIntoEflags(false, 1), 686));
  one(0xd9, 0xe4, numeric(cmp.ftst));
  one(0xd9, 0xe5, numeric(cmp.fxam));
}

function defineMoves(): void {
  const fxch = numeric(stk.fxch);
  const fstp = numeric(st.fstp_STi);
  eight(0xd9, 0xc0, numeric(ld.fld_STi));
  eight(0xd9, 0xc8, fxch);
  eight(0xdd, 0xc8, fxch);
  eight(0xdf, 0xc8, fxch);
  eight(0xdd, 0xd0, numeric(st.fst_STi));
  eight(0xdd, 0xd8, fstp);
  eight(0xd9, 0xd8, fstp);
  eight(0xdf, 0xd0, fstp);
  eight(0xdf, 0xd8, fstp);
  eight(0xdd, 0xc0, numeric(stk.ffree));
  eight(0xdf, 0xc0, numeric(stk.ffreep));
  stk.FCMOV_FLAGS.forEach((flags, reg) => {
    eight(0xda, 0xc0 | (reg << 3), numeric(stk.fcmov(flags, false), 686));
    eight(0xdb, 0xc0 | (reg << 3), numeric(stk.fcmov(flags, true), 686));
  });
  one(0xd9, 0xd0, numeric(stk.fnop));
  one(0xd9, 0xe0, numeric(stk.fchs));
  one(0xd9, 0xe1, numeric(stk.fabs));
  one(0xd9, 0xf4, numeric(stk.fxtract));
  one(0xd9, 0xf6, numeric(stk.fdecstp));
  one(0xd9, 0xf7, numeric(stk.fincstp));
  ld.CONSTANTS.forEach((procedure, i) => one(0xd9, 0xe8 + i, numeric(procedure)));
}

function defineLoadsAndStores(): void {
  memory(0xd9, 0, numeric(ld.loadMemory(a.readSingle)));
  memory(0xd9, 2, numeric(st.fst_m32));
  memory(0xd9, 3, numeric(st.fstp_m32));
  memory(0xdb, 0, numeric(ld.loadMemory(a.readDoubleword)));
  memory(0xdb, 2, numeric(st.fist_m32));
  memory(0xdb, 3, numeric(st.fistp_m32));
  memory(0xdb, 5, numeric(ld.fld_m80));
  memory(0xdb, 7, numeric(st.fstp_m80));
  memory(0xdd, 0, numeric(ld.loadMemory(a.readDouble)));
  memory(0xdd, 2, numeric(st.fst_m64));
  memory(0xdd, 3, numeric(st.fstp_m64));
  memory(0xdf, 0, numeric(ld.loadMemory(a.readWord)));
  memory(0xdf, 2, numeric(st.fist_m16));
  memory(0xdf, 3, numeric(st.fistp_m16));
  memory(0xdf, 4, numeric(ld.loadMemory(ld.readDecimal)));
  memory(0xdf, 5, numeric(ld.loadMemory(ld.readQuadword)));
  memory(0xdf, 6, numeric(st.fbstp_m80));
  memory(0xdf, 7, numeric(st.fistp_m64));
}

function defineFunctions(): void {
  one(0xd9, 0xf0, numeric(tr.f2xm1));
  one(0xd9, 0xf1, numeric(tr.fyl2x));
  one(0xd9, 0xf2, numeric(tr.fptan));
  one(0xd9, 0xf3, numeric(tr.fpatan));
  one(0xd9, 0xf5, numeric(a.fprem1));
  one(0xd9, 0xf8, numeric(a.fprem));
  one(0xd9, 0xf9, numeric(tr.fyl2xp1));
  one(0xd9, 0xfa, numeric(a.fsqrt));
  one(0xd9, 0xfb, numeric(tr.fsincos));
  one(0xd9, 0xfc, numeric(a.frndint));
  one(0xd9, 0xfd, numeric(a.fscale));
  one(0xd9, 0xfe, numeric(tr.fsin));
  one(0xd9, 0xff, numeric(tr.fcos));
}

function defineControl(): void {
  memory(0xd9, 4, control(env.fldenv));
  memory(0xd9, 5, control(ctl.fldcw));
  memory(0xd9, 6, noWait(env.fnstenv));
  memory(0xd9, 7, noWait(ctl.fnstcw));
  memory(0xdd, 4, control(env.frstor));
  memory(0xdd, 6, noWait(env.fnsave));
  memory(0xdd, 7, noWait(ctl.fnstsw_m16));
  one(0xdf, 0xe0, noWait(ctl.fnstsw_AX));
  one(0xdb, 0xe0, noWait(ctl.ignored));
  one(0xdb, 0xe1, noWait(ctl.ignored));
  one(0xdb, 0xe2, noWait(ctl.fnclex));
  one(0xdb, 0xe3, noWait(ctl.fninit));
  one(0xdb, 0xe4, noWait(ctl.ignored));
}

defineArithmetic();
defineComparisons();
defineMoves();
defineLoadsAndStores();
defineFunctions();
defineControl();

/**
 * D8 to DF. The instruction and data pointers change only once its memory operand was accessed.
 * @throws fault #NM while CR0.EM or CR0.TS is set; #UD for what isn't defined; #MF where an exception
 *   waits; what the memory operand raises, with nothing changed.
 */
export function escape(core: Core, insn: Instruction): void {
  const { state } = core;
  if (state.cr0 & (CR0_EM | CR0_TS)) raise(VECTOR_NM);
  const opcode = insn.opcode & 7;
  const entry = insn.isMemory
    ? memoryForms[opcode * MEMORY_FORMS + insn.reg]
    : registerForms[opcode * REGISTER_FORMS + (insn.modrm & (REGISTER_FORMS - 1))];
  if (entry === null || entry.level > core.model.level) raise(VECTOR_UD);
  if (entry.waits && waitsForHandler(core, insn)) return;
  if (!entry.isNumeric) {
    entry.procedure(core, insn);
    return;
  }
  unit.begin(state.get(L.FPU_CONTROL));
  entry.procedure(core, insn);
  conclude(core);
  state.set(L.FPU_CODE_OFFSET, state.eip);
  state.set(L.FPU_CODE_SELECTOR, state.selector(L.SEG_CS));
  state.set(L.FPU_OPCODE, (opcode << 8) | insn.modrm);
  if (!insn.isMemory) return;
  state.set(L.FPU_DATA_OFFSET, effectiveAddress(core, insn));
  state.set(L.FPU_DATA_SELECTOR, state.selector(insn.segment));
}

/** Exceptions and C1 of the unit's operation go into the status word. */
function conclude(core: Core): void {
  const { state } = core;
  const status = (state.get(L.FPU_STATUS) & ~FPU_C1) | unit.c1;
  if (unit.exceptions === 0) {
    state.set(L.FPU_STATUS, status);
    return;
  }
  const next = withSummary(status | unit.exceptions, unit.control);
  state.set(L.FPU_STATUS, next);
  if (next & FPU_ES) signalError(core);
}
