/**
 * FXSAVE and FXRSTOR: the whole state in 512 bytes. Intel SDM vol. 2A, FXSAVE, table 3-43.
 *
 * There is no SSE, so the fields of MXCSR and the XMM registers stay as they are in memory. Neither
 * instruction looks at an exception that waits.
 */
import { CR0_EM, CR0_TS } from '../../control-registers.js';
import type { Core } from '../../core.js';
import type { Instruction } from '../../decoder/instruction.js';
import { raise, VECTOR_AC, VECTOR_GP, VECTOR_NM } from '../../fault.js';
import { isUser } from '../../segmentation.js';
import * as L from '../../state-layout.js';
import { linearOfRm } from '../../system/operands.js';
import { wordOf } from '../registers.js';
import { setWords } from './control.js';

const AREA_BYTES = 512;
const ALIGNMENT = 16;
const CONTROL = 0;
const STATUS = 2;
/** One byte, a bit for each register that is not empty. */
const TAGS = 4;
const OPCODE = 6;
const CODE_OFFSET = 8;
const CODE_SELECTOR = 12;
const DATA_OFFSET = 16;
const DATA_SELECTOR = 20;
/** ST(0) to ST(7), 16 bytes each. */
const REGISTERS = 32;
const REGISTER_BYTES = 16;
/** The last byte of the area that is used. */
const USED_BYTES = REGISTERS + 8 * REGISTER_BYTES;

function areaOf(core: Core, insn: Instruction, kind: 'read' | 'write'): number {
  if (core.state.cr0 & (CR0_EM | CR0_TS)) raise(VECTOR_NM);
  const linear = linearOfRm(core, insn, AREA_BYTES, kind);
  if (linear & (ALIGNMENT - 1)) {
    // Which of the two comes first the manual leaves open; this is what an AMD EPYC does.
    const isMisaligned = (linear & 3) !== 0 && core.mmu.checksAlignment && isUser(core.state);
    raise(isMisaligned ? VECTOR_AC : VECTOR_GP, 0);
  }
  return linear;
}

/** 0F AE /0 FXSAVE. @throws fault #NM while CR0.EM or TS is set; #GP(0) or #AC where misaligned. */
export function fxsave(core: Core, insn: Instruction): void {
  const { state, mmu } = core;
  const area = areaOf(core, insn, 'write');
  const user = isUser(state);
  mmu.probeWrite(area, 4, user);
  mmu.probeWrite((area + USED_BYTES - 4) | 0, 4, user);
  mmu.write(area + CONTROL, 2, state.get(L.FPU_CONTROL), user);
  mmu.write(area + STATUS, 2, state.get(L.FPU_STATUS), user);
  mmu.write(area + TAGS, 2, ~state.get(L.FPU_EMPTY) & 0xff, user);
  mmu.write(area + OPCODE, 2, state.get(L.FPU_OPCODE), user);
  mmu.write(area + CODE_OFFSET, 4, state.get(L.FPU_CODE_OFFSET), user);
  mmu.write(area + CODE_SELECTOR, 4, state.get(L.FPU_CODE_SELECTOR), user);
  mmu.write(area + DATA_OFFSET, 4, state.get(L.FPU_DATA_OFFSET), user);
  mmu.write(area + DATA_SELECTOR, 4, state.get(L.FPU_DATA_SELECTOR), user);
  for (let i = 0; i < 8; i++) {
    const from = wordOf(state, i);
    const to = area + REGISTERS + i * REGISTER_BYTES;
    for (let word = 0; word < 4; word++) {
      mmu.write((to + word * 4) | 0, 4, state.i32[from + word], user);
    }
  }
}

const saved = new Int32Array(USED_BYTES >> 2);

/** 0F AE /1 FXRSTOR. @throws fault as FXSAVE. */
export function fxrstor(core: Core, insn: Instruction): void {
  const { state, mmu } = core;
  const area = areaOf(core, insn, 'read');
  const user = isUser(state);
  for (let i = 0; i < saved.length; i++) saved[i] = mmu.read((area + i * 4) | 0, 4, user);
  state.set(L.FPU_EMPTY, ~saved[TAGS >> 2] & 0xff);
  const words = saved[CONTROL >> 2];
  setWords(core, words, words >>> (STATUS * 8));
  state.set(L.FPU_OPCODE, (saved[TAGS >> 2] >>> 16) & 0x7ff);
  state.set(L.FPU_CODE_OFFSET, saved[CODE_OFFSET >> 2]);
  state.set(L.FPU_CODE_SELECTOR, saved[CODE_SELECTOR >> 2] & 0xffff);
  state.set(L.FPU_DATA_OFFSET, saved[DATA_OFFSET >> 2]);
  state.set(L.FPU_DATA_SELECTOR, saved[DATA_SELECTOR >> 2] & 0xffff);
  for (let i = 0; i < 8; i++) {
    const from = (REGISTERS + i * REGISTER_BYTES) >> 2;
    const to = wordOf(state, i);
    state.i32[to] = saved[from];
    state.i32[to + 1] = saved[from + 1];
    state.i32[to + 2] = saved[from + 2] & 0xffff;
  }
}
