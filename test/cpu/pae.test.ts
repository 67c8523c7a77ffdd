import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AccessSize } from '../../src/cpu/bus.js';
import {
  CR0_CD,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_PAE,
  CR4_PGE,
} from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  Fault,
  fault,
  PF_PRESENT,
  PF_RESERVED,
  PF_USER,
  PF_WRITE,
  VECTOR_GP,
  VECTOR_PF,
} from '../../src/cpu/fault.js';
import { restoreState, saveState } from '../../src/cpu/snapshot.js';
import { mov_Cd_Rd } from '../../src/cpu/system/control-register-moves.js';
import { jmpf_Ap } from '../../src/cpu/system/far-transfer.js';
import {
  bareCore,
  expectFault,
  FREE,
  instruction,
  KERNEL_CODE,
  KERNEL_DATA,
  peek32,
  poke32,
  putSegment,
  TSS_B,
} from './support/bare-core.js';

const POINTERS = 0x10000;
const DIRECTORY = 0x11000;
const IDENTITY = 0x12000;
const TABLE = 0x13000;
const OTHER_POINTERS = 0x14020;
const P = 1;
const RW = 2;
const US = 4;
const A = 0x20;
const D = 0x40;
const PS = 0x80;

function poke64(core: Core, physical: number, low: number, high = 0): void {
  poke32(core, physical, low);
  poke32(core, physical + 4, high);
}

function write(core: Core, register: number, value: number): void {
  core.state.setReg32(0, value);
  mov_Cd_Rd(core, instruction({ reg: register, rm: 0 }));
}

let core: Core;

/** PAE paging: linear 0 to 1FFFFFh as it is; 200000h + n * 1000h by entry n of TABLE. */
function paeCore(): Core {
  const core = bareCore();
  poke64(core, POINTERS, DIRECTORY | P);
  poke64(core, DIRECTORY, IDENTITY | P | RW | US | A);
  for (let page = 0; page < 256; page++) {
    poke64(core, IDENTITY + page * 8, (page << 12) | P | RW | US | A | D);
  }
  poke64(core, DIRECTORY + 8, TABLE | P | RW | US);
  write(core, 4, CR4_PAE);
  write(core, 3, POINTERS | 0x18);
  write(core, 0, CR0_PE | CR0_PG);
  return core;
}

beforeEach(() => {
  core = paeCore();
});

describe('PAE paging', () => {
  test('finds pages through directory and table, with entries of 8 bytes', () => {
    poke64(core, TABLE + 5 * 8, 0x20000 | P | RW);
    core.mmu.write(0x205123, 1, 0x5a, false);
    expect(core.physical.read(0x20123, 1)).toBe(0x5a);
    expect(core.mmu.peek(0x205123)).toBe(0x20123);
    expect(peek32(core, TABLE + 5 * 8)).toBe(0x20000 | P | RW | A | D);
    expect(peek32(core, DIRECTORY + 8)).toBe(TABLE | P | RW | US | A);
  });

  test('maps 2 MiB with one entry, CR4.PSE or not', () => {
    poke64(core, DIRECTORY + 16, P | RW | PS);
    core.mmu.write(0x4abcde, 1, 0x77, false);
    expect(core.physical.read(0xabcde, 1)).toBe(0x77);
    expect(peek32(core, DIRECTORY + 16)).toBe(P | RW | PS | A | D);
    expect(core.mmu.peek(0x4abcde)).toBe(0xabcde);
  });

  test('takes bits 30 and 31 of an address for one of four pointers, 21 to 29 for the directory', () => {
    const last = 0x15000;
    poke64(core, POINTERS + 3 * 8, last | P);
    write(core, 3, POINTERS);
    poke64(core, last + 511 * 8, P | RW | PS);
    expect(core.mmu.peek(0xffe12345 | 0)).toBe(0x12345);
    expect(core.mmu.peek(0xffc00000 | 0)).toBe(-1);
    expect(core.mmu.peek(0x40000000)).toBe(-1);
  });

  const rows: [string, () => void, number][] = [
    ['an absent pointer', () => core.mmu.read(0x40000000, 4, false), 0],
    ['an absent directory entry', () => core.mmu.read(0x600000, 4, true), PF_USER],
    ['an absent table entry', () => core.mmu.write(0x2ff000, 4, 0, false), PF_WRITE],
  ];
  test.each(rows)('%s is #PF', (_name, access, errorCode) => {
    expectFault(core, VECTOR_PF, errorCode, access);
  });

  test('directory and table entry must both let the user in, and let him write', () => {
    poke64(core, TABLE, 0x20000 | P | RW | US);
    poke64(core, DIRECTORY + 8, TABLE | P | US);
    core.mmu.read(0x200000, 4, true);
    const refused = PF_PRESENT | PF_WRITE | PF_USER;
    expectFault(core, VECTOR_PF, refused, () => core.mmu.write(0x200000, 4, 0, true));
    core.mmu.write(0x200000, 4, 0, false);
    write(core, 0, CR0_PE | CR0_PG | CR0_WP);
    expectFault(core, VECTOR_PF, PF_PRESENT | PF_WRITE, () =>
      core.mmu.write(0x200000, 4, 0, false),
    );
    expect(fault.cr2).toBe(0x200000);
  });

  const reserved: [string, number, number, number][] = [
    ['bit 63 of a directory entry', DIRECTORY + 8, TABLE | P | RW, 1 << 31],
    ['bit 36 of a directory entry', DIRECTORY + 8, TABLE | P | RW, 1 << 4],
    ['bit 13 of an entry for 2 MiB', DIRECTORY + 8, P | RW | PS | (1 << 13), 0],
    ['bit 20 of an entry for 2 MiB', DIRECTORY + 8, P | RW | PS | (1 << 20), 0],
    ['bit 63 of a table entry', TABLE, 0x20000 | P | RW, 1 << 31],
    ['bit 7 of a table entry', TABLE, 0x20000 | P | RW | (1 << 7), 0],
  ];
  test.each(reserved)('%s is reserved: #PF with RSVD and P', (_name, at, low, high) => {
    poke64(core, TABLE, 0x20000 | P | RW);
    poke64(core, at, low, high);
    expectFault(core, VECTOR_PF, PF_PRESENT | PF_RESERVED, () => core.mmu.read(0x200000, 1, false));
    expect(core.mmu.peek(0x200000)).toBe(-1);
  });

  test('an absent entry has no reserved bits', () => {
    poke64(core, TABLE, 0xfffffffe | 0, -1);
    expectFault(core, VECTOR_PF, 0, () => core.mmu.read(0x200000, 1, false));
  });

  test('a change of a table in memory is seen at once', () => {
    poke64(core, TABLE, 0x20000 | P | RW);
    poke64(core, TABLE + 8, 0x21000 | P | RW);
    poke32(core, 0x20000, 1);
    poke32(core, 0x21000, 2);
    expect(core.mmu.read(0x200000, 4, false)).toBe(1);
    core.mmu.write(0x12000 + 0x1000, 4, 0x21000 | P | RW, false);
    expect(core.mmu.read(0x200000, 4, false)).toBe(2);
  });
});

describe('the page-directory pointers', () => {
  /** A table of pointers whose third entry maps linear 80000000h to 0. */
  function makeOther(reserved = 0, high = 0): void {
    poke64(core, OTHER_POINTERS, DIRECTORY | P);
    poke64(core, OTHER_POINTERS + 16, 0x16000 | P | reserved, high);
    poke64(core, 0x16000, P | RW | PS);
  }

  test('are loaded with CR3, from a table aligned to 32 bytes, and kept', () => {
    makeOther();
    write(core, 3, OTHER_POINTERS);
    expect(core.mmu.peek(0x80000123 | 0)).toBe(0x123);
    poke64(core, OTHER_POINTERS + 16, 0);
    core.mmu.flush();
    expect(core.mmu.peek(0x80000123 | 0)).toBe(0x123);
    write(core, 3, OTHER_POINTERS);
    expect(core.mmu.peek(0x80000123 | 0)).toBe(-1);
  });

  test.each([
    ['R/W', 2, 0],
    ['U/S', 4, 0],
    ['bit 8', 0x100, 0],
    ['bit 63', 0, 1 << 31],
  ])('with %s set in one that is present are #GP(0), and CR3 stays', (_name, low, high) => {
    makeOther(low, high);
    core.state.setReg32(0, OTHER_POINTERS);
    const move = instruction({ reg: 3, rm: 0 });
    expectFault(core, VECTOR_GP, 0, () => mov_Cd_Rd(core, move));
  });

  test('are loaded when CR0.PG or CR4.PAE is set', () => {
    makeOther();
    write(core, 0, CR0_PE);
    write(core, 3, OTHER_POINTERS);
    write(core, 0, CR0_PE | CR0_PG);
    expect(core.mmu.peek(0x80000123 | 0)).toBe(0x123);
  });

  test('are loaded when CR0.CD or CR4.PGE changes, and what is cached goes with the old ones', () => {
    for (const [register, value] of [
      [0, CR0_PE | CR0_PG | CR0_CD],
      [4, CR4_PAE | CR4_PGE],
    ]) {
      core = paeCore();
      poke32(core, 0x1000, 1);
      poke32(core, 0x20000, 2);
      expect(core.mmu.read(0x1000, 4, false)).toBe(1);
      poke64(core, POINTERS, 0x16000 | P);
      poke64(core, 0x16000, 0x17000 | P | RW);
      poke64(core, 0x17008, 0x20000 | P | RW);
      expect(core.mmu.read(0x1000, 4, false)).toBe(1);
      write(core, register, value);
      expect(core.mmu.read(0x1000, 4, false)).toBe(2);
    }
  });

  test('with reserved bits keep PG from being set', () => {
    makeOther(RW);
    write(core, 0, CR0_PE);
    write(core, 3, OTHER_POINTERS);
    core.state.setReg32(0, CR0_PE | CR0_PG);
    expectFault(core, VECTOR_GP, 0, () => mov_Cd_Rd(core, instruction({ reg: 0, rm: 0 })));
  });
});

test('the TLB is invisible with PAE too: the same accesses give the same with it and without', () => {
  const access = fc.record({
    page: fc.integer({ min: 0, max: 7 }),
    offset: fc.constantFrom(0, 4, 0x123, 0xffd, 0xfff),
    size: fc.constantFrom<AccessSize>(1, 2, 4),
    isWrite: fc.boolean(),
    user: fc.boolean(),
    value: fc.integer(),
  });
  const remap = fc.record({
    index: fc.integer({ min: 0, max: 7 }),
    bits: fc.nat(7),
    high: fc.constantFrom(0, 0, 0, 0, 1, 1 << 31),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(access, remap), { maxLength: 60 }), (steps) => {
      const cores = [paeCore(), paeCore()];
      for (const step of steps) {
        cores[1].mmu.flush();
        const outcomes = cores.map((each) => {
          try {
            if ('index' in step) {
              // Odd entries share frames, so pages alias each other.
              const frame = 0x20000 + (step.index >> 1) * 0x1000;
              each.mmu.write(TABLE + step.index * 8, 4, frame | step.bits, false);
              each.mmu.write(TABLE + step.index * 8 + 4, 4, step.high, false);
              return 'mapped';
            }
            const linear = 0x200000 + step.page * 0x1000 + step.offset;
            if (!step.isWrite) return each.mmu.read(linear, step.size, step.user);
            each.mmu.write(linear, step.size, step.value, step.user);
            return 'written';
          } catch (thrown) {
            if (!(thrown instanceof Fault)) throw thrown;
            return `fault ${thrown.errorCode} at ${thrown.cr2}`;
          }
        });
        expect(outcomes[0]).toBe(outcomes[1]);
      }
      expect(Buffer.compare(cores[0].physical.ram, cores[1].physical.ram)).toBe(0);
    }),
    { numRuns: 100, seed: 1 },
  );
});

test('the pointers are part of what is saved', () => {
  const saved = saveState(core);
  const other = paeCore();
  poke64(other, POINTERS, 0);
  write(other, 3, POINTERS);
  expect(other.mmu.peek(0x1234)).toBe(-1);
  restoreState(other, saved);
  expect(other.mmu.peek(0x1234)).toBe(0x1234);
});

test('a task switch loads the pointers of the task’s CR3, or is #GP with nothing changed', () => {
  poke64(core, OTHER_POINTERS, DIRECTORY | P);
  poke64(core, OTHER_POINTERS + 8, DIRECTORY | P | RW);
  putSegment(core, FREE, TSS_B, 0x67, 0x89);
  poke32(core, TSS_B + 0x1c, OTHER_POINTERS);
  poke32(core, TSS_B + 0x20, 0x4444);
  poke32(core, TSS_B + 0x24, 2);
  poke32(core, TSS_B + 0x38, 0x9000);
  [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA].forEach((selector, i) =>
    poke32(core, TSS_B + 0x48 + 4 * i, selector),
  );
  const jump = instruction({ length: 7, immediate2: FREE });
  expectFault(core, VECTOR_GP, 0, () => jmpf_Ap(core, jump));
  poke64(core, OTHER_POINTERS + 8, DIRECTORY | P);
  jmpf_Ap(core, jump);
  expect(core.state.eip).toBe(0x4444);
  expect(core.mmu.peek(0x40001234)).toBe(0x1234);
});
