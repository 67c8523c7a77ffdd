/**
 * Which operands must be aligned to what. The rows say what an AMD processor of family 25 did, which is
 * what Intel SDM vol. 3A, table 6-7 asks for.
 */
import { describe, expect, test } from 'vitest';
import { CR0_AM } from '../../src/cpu/control-registers.js';
import { EFLAGS_AC, writeEflags } from '../../src/cpu/eflags.js';
import { VECTOR_AC, VECTOR_GP } from '../../src/cpu/fault.js';
import * as L from '../../src/cpu/state-layout.js';
import { updateAlignmentCheck } from '../../src/cpu/system/alignment.js';
import { enterUser } from './support/bare-core.js';
import { CODE, Program } from './support/program.js';

const DATA = 0x8100;
const ESI = 6;
const EDI = 7;
const ESP = 4;
const EBP = 5;

/** The vector of what one instruction raises at CPL 3 with the register at DATA + `offset`, or null. */
function raised(code: readonly number[], register: number, offset: number): number | null {
  const program = new Program(code);
  const { core } = program.cpu;
  core.state.set(L.CR0, core.state.cr0 | CR0_AM);
  enterUser(core);
  core.state.eip = CODE;
  for (let i = 0; i < 8; i++) core.state.setReg32(i, 0);
  for (const i of [ESP, EBP, ESI, EDI]) core.state.setReg32(i, DATA + 0x40 * i);
  core.state.setReg32(register, DATA + 0x40 * register + offset);
  writeEflags(core.state, EFLAGS_AC, EFLAGS_AC);
  updateAlignmentCheck(core);
  program.step(1);
  return program.deliveries.at(0)?.vector ?? null;
}

// biome-ignore format: table
const rows: [string, number[], number, number][] = [
  ['MOV AL, [ESI]',        [0x8a, 0x06],                   ESI, 1],
  ['MOV AX, [ESI]',        [0x66, 0x8b, 0x06],             ESI, 2],
  ['MOV EAX, [ESI]',       [0x8b, 0x06],                   ESI, 4],
  ['MOV [ESI], EAX',       [0x89, 0x06],                   ESI, 4],
  ['ADD [ESI], EAX',       [0x01, 0x06],                   ESI, 4],
  ['XCHG [ESI], EAX',      [0x87, 0x06],                   ESI, 4],
  ['MOVZX EAX, word',      [0x0f, 0xb7, 0x06],             ESI, 2],
  ['BT [ESI], EAX',        [0x0f, 0xa3, 0x06],             ESI, 4],
  ['BT [ESI], AX',         [0x66, 0x0f, 0xa3, 0x06],       ESI, 2],
  ['CMPXCHG8B [ESI]',      [0x0f, 0xc7, 0x0e],             ESI, 8],
  ['LOCK CMPXCHG8B [ESI]', [0xf0, 0x0f, 0xc7, 0x0e],       ESI, 8],
  ['BOUND EAX, [ESI]',     [0x62, 0x06],                   ESI, 4],
  ['BOUND AX, [ESI]',      [0x66, 0x62, 0x06],             ESI, 2],
  ['LES EAX, [ESI]',       [0xc4, 0x06],                   ESI, 4],
  ['LES AX, [ESI]',        [0x66, 0xc4, 0x06],             ESI, 2],
  ['MOV [ESI], DS',        [0x8c, 0x1e],                   ESI, 2],
  ['VERR [ESI]',           [0x0f, 0x00, 0x26],             ESI, 2],
  ['ARPL [ESI], AX',       [0x63, 0x06],                   ESI, 2],
  ['MOVSD from',           [0xa5],                         ESI, 4],
  ['MOVSD to',             [0xa5],                         EDI, 4],
  ['STOSW',                [0x66, 0xab],                   EDI, 2],
  ['PUSH EAX',             [0x50],                         ESP, 4],
  ['PUSH AX',              [0x66, 0x50],                   ESP, 2],
  ['PUSH DS',              [0x1e],                         ESP, 4],
  ['POP EAX',              [0x58],                         ESP, 4],
  ['PUSHA',                [0x60],                         ESP, 4],
  ['POPA',                 [0x61],                         ESP, 4],
  ['PUSHF',                [0x9c],                         ESP, 4],
  ['ENTER 0, 0',           [0xc8, 0, 0, 0],                ESP, 4],
  ['ENTER 0, 2',           [0xc8, 0, 0, 2],                EBP, 4],
  ['LEAVE',                [0xc9],                         EBP, 4],
  ['CALL',                 [0xe8, 0, 0, 0, 0],             ESP, 4],
  ['FNSTENV [ESI]',        [0xd9, 0x36],                   ESI, 4],
  ['FLDENV [ESI]',         [0xd9, 0x26],                   ESI, 4],
  ['FNSAVE [ESI]',         [0xdd, 0x36],                   ESI, 4],
  ['FRSTOR [ESI]',         [0xdd, 0x26],                   ESI, 4],
  ['FNSTENV of 16 bits',   [0x66, 0xd9, 0x36],             ESI, 2],
  ['FLDENV of 16 bits',    [0x66, 0xd9, 0x26],             ESI, 2],
  ['FNSAVE of 16 bits',    [0x66, 0xdd, 0x36],             ESI, 2],
  ['FRSTOR of 16 bits',    [0x66, 0xdd, 0x26],             ESI, 2],
];

describe('while CR0.AM and EFLAGS.AC are set, at CPL 3', () => {
  test.each(rows)('%s', (_name, code, register, alignment) => {
    const found = Array.from({ length: 8 }, (_, offset) => raised(code, register, offset));
    const expected = found.map((_, offset) => (offset % alignment === 0 ? null : VECTOR_AC));
    expect(found).toEqual(expected);
  });

  test('FXSAVE and FXRSTOR want 16 bytes, and #AC comes before #GP where it is not even 4', () => {
    for (const code of [
      [0x0f, 0xae, 0x06],
      [0x0f, 0xae, 0x0e],
    ]) {
      const found = Array.from({ length: 17 }, (_, offset) => raised(code, ESI, offset));
      const expected = found.map((_, offset) => {
        if (offset % 16 === 0) return null;
        return offset % 4 === 0 ? VECTOR_GP : VECTOR_AC;
      });
      expect(found).toEqual(expected);
    }
  });

  test('SGDT wants its base aligned, which is two bytes up', () => {
    const found = Array.from({ length: 8 }, (_, offset) => raised([0x0f, 0x01, 0x06], ESI, offset));
    expect(found.map((vector) => vector === null)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((offset) => offset % 4 === 2),
    );
  });
});

test('XLAT and other accesses of one byte need no alignment', () => {
  expect(raised([0xd7], ESI, 1)).toBeNull();
});
