/** The opcodes behind 0F. Intel SDM vol. 2D, table A-3; groups: table A-6. */
import { fxrstor, fxsave } from '../fpu/instructions/extended-save.js';
import { invd, invlpg_M, wbinvd } from '../system/caches.js';
import { cmpxchg8b_Mq } from '../system/compare-exchange8.js';
import { clts, lmsw_Ew, mov_Cd_Rd, mov_Rd_Cd, smsw_Ew } from '../system/control-register-moves.js';
import { cpuid } from '../system/cpuid.js';
import { mov_Dd_Rd, mov_Rd_Dd } from '../system/debug-register-moves.js';
import { lar_Gv_Ew, lsl_Gv_Ew, verr_Ew, verw_Ew } from '../system/descriptor-checks.js';
import * as tables from '../system/descriptor-tables.js';
import { rdmsr, rdpmc, rdtsc, wrmsr } from '../system/model-specific.js';
import * as seg from '../system/segment-moves.js';
import { sysenter, sysexit } from '../system/sysenter.js';
import { ud } from '../system/undocumented.js';
import * as a from './arithmetic.js';
import * as b from './bit.js';
import * as c from './control.js';
import * as mv from './move.js';
import * as md from './multiply-divide.js';
import { callable, hot, type OpcodeRows, rare, transfer } from './opcode-map.js';
import * as sh from './shift.js';

type Row = readonly [number, OpcodeRows];

const LOCK = { lock: true };
const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');
/** MOV to and from control and debug registers: mod is ignored. */
const CONTROL = { ignoresMod: true };

/** NOPs with a ModRM byte, for any operand. */
function hintNops(): Row[] {
  const nop = hot('nop', 'E', mv.nop);
  return [0x0d, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map(
    (low): Row => [0x0f00 | low, nop],
  );
}

export const TWO_BYTE: readonly Row[] = [
  [
    0x0f00,
    [
      rare('sldt', 'E', tables.sldt_Ew),
      rare('str', 'E', tables.str_Ew),
      rare('lldt', 'E', tables.lldt_Ew),
      rare('ltr', 'E', tables.ltr_Ew),
      rare('verr', 'E', verr_Ew),
      rare('verw', 'E', verw_Ew),
      null,
      null,
    ],
  ],
  [
    0x0f01,
    [
      rare('sgdt', 'M', tables.sgdt_Ms),
      rare('sidt', 'M', tables.sidt_Ms),
      rare('lgdt', 'M', tables.lgdt_Ms),
      rare('lidt', 'M', tables.lidt_Ms),
      rare('smsw', 'E', smsw_Ew),
      null,
      rare('lmsw', 'E', lmsw_Ew),
      rare('invlpg', 'M', invlpg_M),
    ],
  ],
  [0x0f02, rare('lar', 'E', lar_Gv_Ew)],
  [0x0f03, rare('lsl', 'E', lsl_Gv_Ew)],
  [0x0f06, rare('clts', '', clts)],
  [0x0f08, rare('invd', '', invd)],
  [0x0f09, rare('wbinvd', '', wbinvd)],
  [0x0f0b, rare('ud2', '', ud)],
  ...hintNops(),
  [0x0f20, rare('mov', 'E', mov_Rd_Cd, CONTROL)],
  [0x0f21, rare('mov', 'E', mov_Rd_Dd, CONTROL)],
  [0x0f22, rare('mov', 'E', mov_Cd_Rd, CONTROL)],
  [0x0f23, rare('mov', 'E', mov_Dd_Rd, CONTROL)],
  [0x0f30, rare('wrmsr', '', wrmsr)],
  [0x0f31, callable('rdtsc', '', rdtsc)],
  [0x0f32, callable('rdmsr', '', rdmsr)],
  [0x0f33, rare('rdpmc', '', rdpmc)],
  [0x0f34, transfer('sysenter', '', sysenter)],
  [0x0f35, transfer('sysexit', '', sysexit)],
  ...CONDITIONS.map((name, i): Row => [0x0f40 + i, hot(`cmov${name}`, 'Gv Ev', mv.cmovcc(i))]),
  ...CONDITIONS.map((name, i): Row => [0x0f80 + i, hot(`j${name}`, 'Jz', c.jcc(i))]),
  ...CONDITIONS.map((name, i): Row => [0x0f90 + i, hot(`set${name}`, 'Eb', mv.setcc(i))]),
  [0x0fa0, rare('push', '', seg.push_FS)],
  [0x0fa1, rare('pop', '', seg.pop_FS)],
  [0x0fa2, callable('cpuid', '', cpuid)],
  [0x0fa3, hot('bt', 'Ev Gv', b.bt)],
  [0x0fa4, hot('shld', 'Ev Gv Ib', sh.shld)],
  [0x0fa5, hot('shld', 'Ev Gv CL', sh.shld)],
  [0x0fa8, rare('push', '', seg.push_GS)],
  [0x0fa9, rare('pop', '', seg.pop_GS)],
  [0x0fab, hot('bts', 'Ev Gv', b.bts, LOCK)],
  [0x0fac, hot('shrd', 'Ev Gv Ib', sh.shrd)],
  [0x0fad, hot('shrd', 'Ev Gv CL', sh.shrd)],
  [
    0x0fae,
    [
      rare('fxsave', 'M', fxsave),
      rare('fxrstor', 'M', fxrstor),
      null,
      null,
      null,
      null,
      null,
      null,
    ],
  ],
  [0x0faf, hot('imul', 'Gv Ev', md.imul)],
  [0x0fb0, hot('cmpxchg', 'Eb Gb', a.cmpxchg, LOCK)],
  [0x0fb1, hot('cmpxchg', 'Ev Gv', a.cmpxchg, LOCK)],
  [0x0fb2, rare('lss', 'M', seg.lss_Gv_Mp)],
  [0x0fb3, hot('btr', 'Ev Gv', b.btr, LOCK)],
  [0x0fb4, rare('lfs', 'M', seg.lfs_Gv_Mp)],
  [0x0fb5, rare('lgs', 'M', seg.lgs_Gv_Mp)],
  [0x0fb6, hot('movzx', 'Gv Eb', mv.movzx)],
  [0x0fb7, hot('movzx', 'Gv Ew', mv.movzx)],
  [0x0fb9, rare('ud1', 'E', ud)],
  [
    0x0fba,
    [
      null,
      null,
      null,
      null,
      hot('bt', 'Ev Ib', b.btImmediate),
      hot('bts', 'Ev Ib', b.btsImmediate, LOCK),
      hot('btr', 'Ev Ib', b.btrImmediate, LOCK),
      hot('btc', 'Ev Ib', b.btcImmediate, LOCK),
    ],
  ],
  [0x0fbb, hot('btc', 'Ev Gv', b.btc, LOCK)],
  [0x0fbc, hot('bsf', 'Gv Ev', b.bsf)],
  [0x0fbd, hot('bsr', 'Gv Ev', b.bsr)],
  [0x0fbe, hot('movsx', 'Gv Eb', mv.movsx)],
  [0x0fbf, hot('movsx', 'Gv Ew', mv.movsx)],
  [0x0fc0, hot('xadd', 'Eb Gb', a.xadd, LOCK)],
  [0x0fc1, hot('xadd', 'Ev Gv', a.xadd, LOCK)],
  [
    0x0fc7,
    [null, callable('cmpxchg8b', 'M', cmpxchg8b_Mq, LOCK), null, null, null, null, null, null],
  ],
  ...Array.from({ length: 8 }, (_, i): Row => [0x0fc8 + i, hot('bswap', 'Zv', mv.bswap)]),
  [0x0fff, rare('ud0', 'E', ud)],
];
