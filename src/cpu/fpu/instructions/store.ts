/** FST, FIST, FBSTP: nothing changes before the memory operand is known to be writable. */
import type { Core } from '../../core.js';
import type { Instruction } from '../../decoder/instruction.js';
import { writeRm } from '../../system/operands.js';
import type { Procedure } from '../../system/procedure.js';
import { packDecimal, packed } from '../bcd.js';
import { packDouble, packInteger, packInteger64, packSingle, stored } from '../formats.js';
import { write64, write80 } from '../memory-operand.js';
import { Operand } from '../operand.js';
import { fetch, isEmpty, load, pop, stackUnderflow, write } from '../registers.js';
import { unit } from '../unit.js';

/** Converts and says whether the result may be stored. */
type Pack = (a: Operand) => boolean;
type Put = (core: Core, insn: Instruction) => void;

const value = new Operand();

/** FST, FIST and FBSTP to memory. */
function storeMemory(pack: Pack, put: Put, pops: boolean): Procedure {
  return (core, insn) => {
    const { state } = core;
    if (isEmpty(state, 0)) {
      stackUnderflow();
      // What the indefinite is in the destination's format, the conversion of a NaN gives.
      value.unpack(unit.signExponent, unit.high, unit.low);
    } else {
      load(state, 0, value);
    }
    if (!pack(value) || unit.isStopped) return;
    put(core, insn);
    if (pops) pop(state);
  };
}

const putWord: Put = (core, insn) => writeRm(core, insn, 2, stored.low & 0xffff);
const putDoubleword: Put = (core, insn) => writeRm(core, insn, 4, stored.low);
const putQuadword: Put = (core, insn) => write64(core, insn, stored.high, stored.low);
const putDecimal: Put = (core, insn) => write80(core, insn, packed.top, packed.high, packed.low);

const packWord: Pack = (a) => packInteger(a, 16);
const packDoubleword: Pack = (a) => packInteger(a, 32);

// D9 /2, /3; DD /2, /3
export const fst_m32: Procedure = storeMemory(packSingle, putDoubleword, false);
export const fstp_m32: Procedure = storeMemory(packSingle, putDoubleword, true);
export const fst_m64: Procedure = storeMemory(packDouble, putQuadword, false);
export const fstp_m64: Procedure = storeMemory(packDouble, putQuadword, true);
// DF /2, /3; DB /2, /3; DF /7; DF /6
export const fist_m16: Procedure = storeMemory(packWord, putWord, false);
export const fistp_m16: Procedure = storeMemory(packWord, putWord, true);
export const fist_m32: Procedure = storeMemory(packDoubleword, putDoubleword, false);
export const fistp_m32: Procedure = storeMemory(packDoubleword, putDoubleword, true);
export const fistp_m64: Procedure = storeMemory(packInteger64, putQuadword, true);
export const fbstp_m80: Procedure = storeMemory(packDecimal, putDecimal, true);

/** DB /7 FSTP m80: the register's bits as they are. */
export const fstp_m80: Procedure = (core, insn) => {
  const { state } = core;
  if (isEmpty(state, 0)) stackUnderflow();
  else fetch(state, 0);
  if (unit.isStopped) return;
  write80(core, insn, unit.signExponent, unit.high, unit.low);
  pop(state);
};

/** DD D0 FST ST(i). */
export const fst_STi: Procedure = ({ state }, insn) => {
  if (isEmpty(state, 0)) stackUnderflow();
  else fetch(state, 0);
  if (!unit.isStopped) write(state, insn.rm);
};

/** DD D8 FSTP ST(i), with the aliases D9 D8, DF D0 and DF D8. */
export const fstp_STi: Procedure = (core, insn) => {
  fst_STi(core, insn);
  if (!unit.isStopped) pop(core.state);
};
