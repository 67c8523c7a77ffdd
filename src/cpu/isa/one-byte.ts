/** The one-byte opcodes. Intel SDM vol. 2D, table A-2; groups: table A-6. */
import { wait } from '../fpu/error-line.js';
import { escape } from '../fpu/escape.js';
import { aaa, aad_Ib, aam_Ib, aas, daa, das } from '../system/bcd.js';
import { bound_Gv_Ma } from '../system/bound.js';
import { arpl_Ew_Gw } from '../system/descriptor-checks.js';
import { retf, retf_Iw } from '../system/far-return.js';
import { callf_Ap, callf_Ep, jmpf_Ap, jmpf_Ep } from '../system/far-transfer.js';
import { cli, hlt, popf, pushf, sti } from '../system/flags-instructions.js';
import { int_Ib, int3, into } from '../system/interrupt.js';
import { iret } from '../system/iret.js';
import * as io from '../system/port-io.js';
import * as seg from '../system/segment-moves.js';
import { enter_Iw_Ib, popa, pusha } from '../system/stack-frames.js';
import { ins_Yv_DX, insb, outs_DX_Xv, outsb } from '../system/string-port-io.js';
import { icebp, salc } from '../system/undocumented.js';
import * as a from './arithmetic.js';
import * as c from './control.js';
import * as gates from './gates.js';
import * as mv from './move.js';
import * as md from './multiply-divide.js';
import { callable, hot, type OpcodeRows, rare, transfer } from './opcode-map.js';
import type { Semantics } from './ops.js';
import * as sh from './shift.js';
import * as st from './stack.js';
import * as str from './string.js';

type Row = readonly [number, OpcodeRows];

const LOCK = { lock: true };
const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');
/** The eight ALU operations in encoding order; CMP alone writes nothing, so LOCK is illegal there. */
const ALU: readonly (readonly [string, Semantics])[] = [
  ['add', a.add],
  ['or', a.or],
  ['adc', a.adc],
  ['sbb', a.sbb],
  ['and', a.and],
  ['sub', a.sub],
  ['xor', a.xor],
  ['cmp', a.cmp],
];
const SHIFTS: readonly (readonly [string, Semantics])[] = [
  ['rol', sh.rol],
  ['ror', sh.ror],
  ['rcl', sh.rcl],
  ['rcr', sh.rcr],
  ['shl', sh.shl],
  ['shr', sh.shr],
  // /6 is not in the manual; processors take it as SHL.
  ['shl', sh.shl],
  ['sar', sh.sar],
];

function lockOf(mnemonic: string): { lock: boolean } {
  return { lock: mnemonic !== 'cmp' };
}

function aluRows(): Row[] {
  return ALU.flatMap(([name, semantics], i): Row[] => [
    [i * 8 + 0, hot(name, 'Eb Gb', semantics, lockOf(name))],
    [i * 8 + 1, hot(name, 'Ev Gv', semantics, lockOf(name))],
    [i * 8 + 2, hot(name, 'Gb Eb', semantics)],
    [i * 8 + 3, hot(name, 'Gv Ev', semantics)],
    [i * 8 + 4, hot(name, 'AL Ib', semantics)],
    [i * 8 + 5, hot(name, 'eAX Iz', semantics)],
  ]);
}

function aluGroup(operands: string): OpcodeRows {
  return ALU.map(([name, semantics]) => hot(name, operands, semantics, lockOf(name)));
}

function shiftGroup(operands: string): OpcodeRows {
  return SHIFTS.map(([name, semantics]) => hot(name, operands, semantics));
}

/** The same row for the eight opcodes that name a register in their low bits. */
function eight(first: number, rows: OpcodeRows): Row[] {
  return Array.from({ length: 8 }, (_, i): Row => [first + i, rows]);
}

const jump = { endsBlock: true };

function unaryGroup(width: 'b' | 'v'): OpcodeRows {
  const e = `E${width}`;
  const immediate = width === 'b' ? 'Ib' : 'Iz';
  const test = hot('test', `${e} ${immediate}`, a.test);
  return [
    test,
    // /1 is not in the manual; processors take it as TEST.
    test,
    hot('not', e, a.not, LOCK),
    hot('neg', e, a.neg, LOCK),
    hot('mul', e, md.mul),
    hot('imul', e, md.imulAccumulator),
    hot('div', e, md.div),
    hot('idiv', e, md.idiv),
  ];
}

export const ONE_BYTE: readonly Row[] = [
  ...aluRows(),
  [0x06, rare('push', '', seg.push_ES)],
  [0x07, rare('pop', '', seg.pop_ES)],
  [0x0e, rare('push', '', seg.push_CS)],
  [0x16, rare('push', '', seg.push_SS)],
  [0x17, rare('pop', '', seg.pop_SS)],
  [0x1e, rare('push', '', seg.push_DS)],
  [0x1f, rare('pop', '', seg.pop_DS)],
  [0x27, rare('daa', '', daa)],
  [0x2f, rare('das', '', das)],
  [0x37, rare('aaa', '', aaa)],
  [0x3f, rare('aas', '', aas)],
  ...eight(0x40, hot('inc', 'Zv', a.inc)),
  ...eight(0x48, hot('dec', 'Zv', a.dec)),
  ...eight(0x50, hot('push', 'Zv', st.pushOperand)),
  ...eight(0x58, hot('pop', 'Zv', st.popOperand)),
  [0x60, callable('pusha', '', pusha)],
  [0x61, callable('popa', '', popa)],
  [0x62, rare('bound', 'M', bound_Gv_Ma)],
  [0x63, rare('arpl', 'E', arpl_Ew_Gw)],
  [0x68, hot('push', 'Iz', st.pushOperand)],
  [0x69, hot('imul', 'Gv Ev Iz', md.imulImmediate)],
  [0x6a, hot('push', 'Is', st.pushOperand)],
  [0x6b, hot('imul', 'Gv Ev Is', md.imulImmediate)],
  [0x6c, transfer('insb', '', insb)],
  [0x6d, transfer('ins', '', ins_Yv_DX)],
  [0x6e, transfer('outsb', '', outsb)],
  [0x6f, transfer('outs', '', outs_DX_Xv)],
  ...CONDITIONS.map((name, i): Row => [0x70 + i, hot(`j${name}`, 'Jb', c.jcc(i))]),
  [0x80, aluGroup('Eb Ib')],
  [0x81, aluGroup('Ev Iz')],
  [0x82, aluGroup('Eb Ib')],
  [0x83, aluGroup('Ev Is')],
  [0x84, hot('test', 'Eb Gb', a.test)],
  [0x85, hot('test', 'Ev Gv', a.test)],
  [0x86, hot('xchg', 'Eb Gb', mv.xchg, LOCK)],
  [0x87, hot('xchg', 'Ev Gv', mv.xchg, LOCK)],
  [0x88, hot('mov', 'Eb Gb', mv.mov)],
  [0x89, hot('mov', 'Ev Gv', mv.mov)],
  [0x8a, hot('mov', 'Gb Eb', mv.mov)],
  [0x8b, hot('mov', 'Gv Ev', mv.mov)],
  [0x8c, callable('mov', 'E', seg.mov_Ew_Sw)],
  [0x8d, hot('lea', 'Gv Ma', mv.lea)],
  [0x8e, rare('mov', 'E', seg.mov_Sw_Ew)],
  [0x8f, [hot('pop', 'Ev', st.popOperand), null, null, null, null, null, null, null]],
  [0x90, hot('nop', '', mv.nop)],
  ...eight(0x90, hot('xchg', 'Zv eAX', mv.xchg)).slice(1),
  [0x98, hot('cbw', '', mv.cbw)],
  [0x99, hot('cwd', '', mv.cwd)],
  [0x9a, transfer('callf', 'ap', callf_Ap)],
  [0x9b, rare('wait', '', wait)],
  [0x9c, callable('pushf', '', pushf)],
  [0x9d, callable('popf', '', popf)],
  [0x9e, hot('sahf', '', mv.sahf)],
  [0x9f, hot('lahf', '', mv.lahf)],
  [0xa0, hot('mov', 'AL Ob', mv.mov)],
  [0xa1, hot('mov', 'eAX Ov', mv.mov)],
  [0xa2, hot('mov', 'Ob AL', mv.mov)],
  [0xa3, hot('mov', 'Ov eAX', mv.mov)],
  [0xa4, hot('movs', '', str.movs, { width: 'b' })],
  [0xa5, hot('movs', '', str.movs)],
  [0xa6, hot('cmps', '', str.cmps, { width: 'b' })],
  [0xa7, hot('cmps', '', str.cmps)],
  [0xa8, hot('test', 'AL Ib', a.test)],
  [0xa9, hot('test', 'eAX Iz', a.test)],
  [0xaa, hot('stos', '', str.stos, { width: 'b' })],
  [0xab, hot('stos', '', str.stos)],
  [0xac, hot('lods', '', str.lods, { width: 'b' })],
  [0xad, hot('lods', '', str.lods)],
  [0xae, hot('scas', '', str.scas, { width: 'b' })],
  [0xaf, hot('scas', '', str.scas)],
  ...eight(0xb0, hot('mov', 'Zb Ib', mv.mov)),
  ...eight(0xb8, hot('mov', 'Zv Iz', mv.mov)),
  [0xc0, shiftGroup('Eb Ib')],
  [0xc1, shiftGroup('Ev Ib')],
  [0xc2, hot('ret', 'Iw', c.ret(true), { width: 'v', endsBlock: true })],
  [0xc3, hot('ret', '', c.ret(false), jump)],
  [0xc4, rare('les', 'M', seg.les_Gv_Mp)],
  [0xc5, rare('lds', 'M', seg.lds_Gv_Mp)],
  [0xc6, [hot('mov', 'Eb Ib', mv.mov), null, null, null, null, null, null, null]],
  [0xc7, [hot('mov', 'Ev Iz', mv.mov), null, null, null, null, null, null, null]],
  [0xc8, rare('enter', 'iwb', enter_Iw_Ib)],
  [0xc9, hot('leave', '', st.leave)],
  [0xca, transfer('retf', 'iw', retf_Iw)],
  [0xcb, transfer('retf', '', retf)],
  [0xcc, transfer('int3', '', int3)],
  [0xcd, transfer('int', 'Ib', int_Ib, gates.int)],
  [0xce, transfer('into', '', into)],
  [0xcf, transfer('iret', '', iret, gates.iret)],
  [0xd0, shiftGroup('Eb 1')],
  [0xd1, shiftGroup('Ev 1')],
  [0xd2, shiftGroup('Eb CL')],
  [0xd3, shiftGroup('Ev CL')],
  [0xd4, rare('aam', 'ib', aam_Ib)],
  [0xd5, rare('aad', 'ib', aad_Ib)],
  [0xd6, rare('salc', '', salc)],
  [0xd7, hot('xlat', '', mv.xlat)],
  ...eight(0xd8, callable('esc', 'E', escape)),
  [0xe0, hot('loopne', 'Jb', c.loop('not-zero'))],
  [0xe1, hot('loope', 'Jb', c.loop('zero'))],
  [0xe2, hot('loop', 'Jb', c.loop('always'))],
  [0xe3, hot('jcxz', 'Jb', c.jcxz)],
  [0xe4, callable('in', 'ib', io.in_AL_Ib)],
  [0xe5, callable('in', 'ib', io.in_eAX_Ib)],
  [0xe6, callable('out', 'ib', io.out_Ib_AL)],
  [0xe7, callable('out', 'ib', io.out_Ib_eAX)],
  [0xe8, hot('call', 'Jz', c.call, jump)],
  [0xe9, hot('jmp', 'Jz', c.jmp, jump)],
  [0xea, transfer('jmpf', 'ap', jmpf_Ap)],
  [0xeb, hot('jmp', 'Jb', c.jmp, jump)],
  [0xec, callable('in', '', io.in_AL_DX)],
  [0xed, callable('in', '', io.in_eAX_DX)],
  [0xee, callable('out', '', io.out_DX_AL)],
  [0xef, callable('out', '', io.out_DX_eAX)],
  [0xf1, transfer('int1', '', icebp)],
  [0xf4, rare('hlt', '', hlt)],
  [0xf5, hot('cmc', '', mv.cmc)],
  [0xf6, unaryGroup('b')],
  [0xf7, unaryGroup('v')],
  [0xf8, hot('clc', '', mv.clc)],
  [0xf9, hot('stc', '', mv.stc)],
  [0xfa, callable('cli', '', cli)],
  [0xfb, callable('sti', '', sti)],
  [0xfc, hot('cld', '', mv.cld)],
  [0xfd, hot('std', '', mv.std)],
  [
    0xfe,
    [
      hot('inc', 'Eb', a.inc, LOCK),
      hot('dec', 'Eb', a.dec, LOCK),
      null,
      null,
      null,
      null,
      null,
      null,
    ],
  ],
  [
    0xff,
    [
      hot('inc', 'Ev', a.inc, LOCK),
      hot('dec', 'Ev', a.dec, LOCK),
      hot('call', 'Ev', c.callIndirect, jump),
      transfer('callf', 'M', callf_Ep),
      hot('jmp', 'Ev', c.jmpIndirect, jump),
      transfer('jmpf', 'M', jmpf_Ep),
      hot('push', 'Ev', st.pushOperand),
      null,
    ],
  ],
];
