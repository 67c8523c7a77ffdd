/** That the rigs tell right from wrong; the cases themselves are too many for a test run. */
import { describe, expect, test } from 'vitest';
import type { OracleCase } from './case.js';
import type { RealModeCase } from './real-mode-case.js';
import { RealModeRig } from './real-mode-rig.js';
import { Rig } from './rig.js';

const REGISTERS = [7, 0, 0, 0, 0x8120, 0, 0, 0];
const MEMORY = '00'.repeat(64);

/** INC EAX, as a processor executes it. */
const increment: OracleCase = {
  id: 1,
  group: 'alu',
  op: 'inc r',
  asm: 'inc eax',
  code: '40',
  in: { regs: REGISTERS, eflags: 0x202, base: 0x8100, mem: MEMORY },
  out: { regs: [8, ...REGISTERS.slice(1)], eip: 0x6801, eflags: 0x202 },
};

describe('the rig of 32-bit cases', () => {
  const rig = new Rig();
  const wrong: [string, OracleCase][] = [
    ['a register', { ...increment, out: { ...increment.out, regs: REGISTERS } }],
    ['EIP', { ...increment, out: { ...increment.out, eip: 0x6802 } }],
    ['a flag', { ...increment, out: { ...increment.out, eflags: 0x203 } }],
    ['memory', { ...increment, out: { ...increment.out, mem: `01${MEMORY.slice(2)}` } }],
    [
      'an exception',
      { ...increment, out: { ...increment.out, exception: { vector: 6, error: null } } },
    ],
  ];

  test('passes what is right, interpreted and compiled', () => {
    expect(rig.check(increment)).toBeNull();
    expect(rig.checkCompiled(increment)).toBeNull();
  });

  test.each(wrong)('fails a case with another outcome in %s', (_name, test) => {
    expect(rig.check(test)).not.toBeNull();
    expect(rig.checkCompiled(test)).not.toBeNull();
  });

  test('does not compare what is marked as undefined', () => {
    const out = { ...increment.out, eflags: 0x203 };
    expect(rig.check({ ...increment, out, undefined: { flags: 1 } })).toBeNull();
  });
});

const init = {
  ...{ ax: 7, bx: 0, cx: 0, dx: 0, si: 0, di: 0, bp: 0, sp: 0x100 },
  ...{ cs: 0x1000, ss: 0x2000, ds: 0x3000, es: 0x3000, ip: 0x100, flags: 2 },
};

/** INC AX with its HLT, as a 286 executes it. */
const real: RealModeCase = {
  op: '40',
  name: 'inc ax',
  code: '40f4',
  init,
  ram: [
    [0x10100, 0x40],
    [0x10101, 0xf4],
  ],
  final: { ax: 8, ip: 0x102 },
  fram: [],
};

describe('the rig of real-mode cases', () => {
  const rig = new RealModeRig(() => 0xffff);

  test('passes what is right', () => {
    expect(rig.check(real)).toBeNull();
  });

  test.each<[string, RealModeCase]>([
    ['a register', { ...real, final: { ...real.final, ax: 9 } }],
    ['a register that was to stay', { ...real, final: { ip: 0x102 } }],
    ['a flag', { ...real, final: { ...real.final, flags: 3 } }],
    ['memory', { ...real, fram: [[0x30000, 1]] }],
  ])('fails a case with another outcome in %s', (_name, test) => {
    expect(rig.check(test)).toEqual(expect.any(String));
  });

  test('never compares the flags that a 286 lacks in real mode', () => {
    expect(rig.check({ ...real, final: { ...real.final, flags: 0xf002 } })).toBeNull();
  });

  test('names a difference that is meant, and fails it where ours is another', () => {
    // LOCK INC AX: a 286 executes it.
    const locked: RealModeCase = {
      ...real,
      code: 'f040f4',
      ram: [
        [0x10100, 0xf0],
        [0x10101, 0x40],
        [0x10102, 0xf4],
        [6 * 4 + 3, 0x10],
        [0x100000, 0xf4],
      ],
      final: { ax: 8, ip: 0x103 },
    };
    expect(rig.check(locked)).toMatchObject({ name: 'LOCK', vector: 6 });
    // LOCK INC word [0] is allowed on a 386 too, so nothing is meant.
    const allowed: RealModeCase = {
      ...real,
      code: 'f0ff060000f4',
      ram: [0xf0, 0xff, 0x06, 0, 0, 0xf4].map((byte, i) => [0x10100 + i, byte] as const),
      final: { ip: 0x106 },
    };
    expect(rig.check(allowed)).toEqual(expect.any(String));
  });
});
