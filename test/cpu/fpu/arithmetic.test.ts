/**
 * Arithmetic against the host's doubles, which are exact in the same way where the precision control says
 * 53 bits, and rules that no double shows.
 */
import { describe, expect, test } from 'vitest';
import { Random } from '../../native/x87/random.js';
import { FpuProcessor } from './fpu-processor.js';

const DOUBLE_PRECISION = 0x27f;
const ROUNDS = 4000;

function randomDouble(random: Random): number {
  const exponent = random.below(80) - 40;
  const magnitude = (1 + random.bits() / 2 ** 32 + random.bits() / 2 ** 64) * 2 ** exponent;
  return random.chance(2) ? magnitude : -magnitude;
}

describe('with a precision of 53 bits, results are those of IEEE doubles', () => {
  // biome-ignore format: table
  test.each<readonly [string, number[], (a: number, b: number) => number]>([
    ['FADD',  [0xd8, 0xc1], (a, b) => a + b],
    ['FSUB',  [0xd8, 0xe1], (a, b) => a - b],
    ['FSUBR', [0xd8, 0xe9], (a, b) => b - a],
    ['FMUL',  [0xd8, 0xc9], (a, b) => a * b],
    ['FDIV',  [0xd8, 0xf1], (a, b) => a / b],
    ['FDIVR', [0xd8, 0xf9], (a, b) => b / a],
  ])('%s', (_, code, expected) => {
    const p = new FpuProcessor();
    p.control = DOUBLE_PRECISION;
    const random = new Random(1);
    for (let i = 0; i < ROUNDS; i++) {
      const [a, b] = [randomDouble(random), randomDouble(random)];
      p.loadDouble(b);
      p.loadDouble(a);
      p.perform(code);
      expect(p.storeDouble(), `of ${a} and ${b}`).toBe(expected(a, b));
      p.storeDouble();
    }
  });

  test('FSQRT', () => {
    const p = new FpuProcessor();
    p.control = DOUBLE_PRECISION;
    const random = new Random(2);
    for (let i = 0; i < ROUNDS; i++) {
      const a = Math.abs(randomDouble(random));
      p.loadDouble(a);
      p.perform([0xd9, 0xfa]);
      expect(p.storeDouble(), `of ${a}`).toBe(Math.sqrt(a));
    }
  });
});

const INDEFINITE = 'ffff:c000000000000000';
const ONE = '3fff:8000000000000000';
const QUIET = '7fff:c000000000000123';
const LARGER = 'ffff:c000000000000200';
const SIGNALING = '7fff:a000000000000777';
const IE = 1;

describe('of two operands FADD takes', () => {
  // Intel SDM vol. 1, table 4-7.
  // biome-ignore format: table
  test.each([
    ['the NaN, of a NaN and a number',          QUIET,     ONE,                       QUIET,                   0],
    ['the larger significand, of two NaNs',     QUIET,     LARGER,                    LARGER,                  0],
    ['the quiet one, of a quiet and signaling', QUIET,     SIGNALING,                 QUIET,                   IE],
    ['the NaN made quiet, of a signaling one',  SIGNALING, ONE,                       '7fff:e000000000000777', IE],
    ['the positive, where significands agree',  QUIET,     'ffff:c000000000000123',   QUIET,                   0],
    ['the indefinite, of an unnormal',          ONE,       '4000:4000000000000000',   INDEFINITE,              IE],
    ['the indefinite, of a pseudo-infinity',    ONE,       '7fff:0000000000000000',   INDEFINITE,              IE],
    ['the indefinite, of an unnormal and a NaN', QUIET,    '4000:4000000000000000',   INDEFINITE,              IE],
  ])('%s', (_, a, b, result, exceptions) => {
    for (const [first, second] of [
      [a, b],
      [b, a],
    ]) {
      const p = new FpuProcessor();
      p.load(first);
      p.load(second);
      p.run([0xd8, 0xc1]);
      expect(p.st(0)).toBe(result);
      expect(p.status & 0x3f).toBe(exceptions);
    }
  });
});

describe('an empty register', () => {
  test('is a stack underflow: IE and SF, C1 clear', () => {
    const p = new FpuProcessor();
    p.load(ONE);
    p.run([0xd8, 0xc3]);
    expect(p.st(0)).toBe(INDEFINITE);
    expect(p.status & 0x27f).toBe(0x41);
  });

  test('is missed by a push onto a full stack: IE and SF, C1 set', () => {
    const p = new FpuProcessor();
    for (let i = 0; i < 9; i++) p.load(ONE);
    expect(p.st(0)).toBe(INDEFINITE);
    expect(p.status & 0x27f).toBe(0x241);
  });

  test('leaves everything as it was where that is unmasked', () => {
    const p = new FpuProcessor();
    p.load(ONE);
    p.control = 0x37e;
    p.run([0xde, 0xc3]);
    expect(p.st(0)).toBe(ONE);
    expect(p.tags).toBe(0x3fff);
    expect(p.status & 0x80ff).toBe(0x80c1);
  });
});

describe('unmasked overflow and underflow', () => {
  test('give a result whose exponent is off by 24576', () => {
    const p = new FpuProcessor();
    p.load('7ffe:8000000000000000');
    p.control = 0x340;
    p.run([0xd8, 0xc8]);
    expect(p.st(0)).toBe('5ffd:8000000000000000');
    expect(p.status & 0x80bf).toBe(0x8088);
    const q = new FpuProcessor();
    q.load('0001:8000000000000000');
    q.control = 0x340;
    q.run([0xd8, 0xc8]);
    expect(q.st(0)).toBe('2003:8000000000000000');
    expect(q.status & 0x80bf).toBe(0x8090);
  });

  test('leave memory alone, and the stack', () => {
    const p = new FpuProcessor();
    p.load('7ffe:8000000000000000');
    p.poke(0x8000, 4, 0x12345678);
    p.control = 0x340;
    p.poke(0x8000, 4, 0x12345678);
    p.run([0xd9, 0x1d, 0, 0x80, 0, 0]);
    expect(p.dword(0x8000)).toBe(0x12345678);
    expect(p.st(0)).toBe('7ffe:8000000000000000');
    expect(p.status & 0x80bf).toBe(0x8088);
  });
});
