import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AccessSize } from '../../src/cpu/bus.js';
import { CR0_PG, CR0_WP, CR4_PSE } from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  Fault,
  fault,
  PF_PRESENT,
  PF_RESERVED,
  PF_USER,
  PF_WRITE,
  VECTOR_AC,
  VECTOR_PF,
} from '../../src/cpu/fault.js';
import * as L from '../../src/cpu/state-layout.js';
import { bareCore, expectFault, peek32, poke32 } from './support/bare-core.js';

const DIRECTORY = 0x10000;
const TABLE = 0x11000;
const P = 1;
const RW = 2;
const US = 4;
const A = 0x20;
const D = 0x40;
const PS = 0x80;

/** Paging on, with linear 400000h + n * 1000h mapped by entry n of TABLE, and 0 to 3FFFFFh as it is. */
function pagedCore(): Core {
  const core = bareCore();
  const identity = 0x12000;
  poke32(core, DIRECTORY, identity | P | RW | US);
  for (let page = 0; page < 256; page++) {
    poke32(core, identity + page * 4, (page << 12) | P | RW | US | A | D);
  }
  poke32(core, DIRECTORY + 4, TABLE | P | RW | US);
  core.state.set(L.CR3, DIRECTORY);
  core.state.set(L.CR0, core.state.cr0 | CR0_PG);
  core.mmu.flush();
  return core;
}

function map(core: Core, index: number, entry: number): void {
  poke32(core, TABLE + index * 4, entry);
}

function setCr(core: Core, register: number, bits: number): void {
  core.state.set(register, core.state.get(register) | bits);
  core.mmu.flush();
}

describe('Mmu without paging', () => {
  test('linear addresses are physical, at any alignment and over page borders', () => {
    const core = bareCore();
    core.mmu.write(0x20ffe, 4, 0x44332211, false);
    expect(core.mmu.read(0x20ffe, 4, true)).toBe(0x44332211);
    expect(core.mmu.read(0x20fff, 2, false)).toBe(0x3322);
    expect(core.mmu.read(0x21001, 1, false)).toBe(0x44);
    expect(core.physical.read(0x21000, 2)).toBe(0x4433);
    expect(core.mmu.translateFetch(0x20fff, true)).toBe(0x20fff);
  });

  test('four bytes come signed, fewer zero-extended', () => {
    const core = bareCore();
    core.mmu.write(0x20000, 4, -2, false);
    expect(core.mmu.read(0x20000, 4, false)).toBe(-2);
    expect(core.mmu.read(0x20000, 2, false)).toBe(0xfffe);
    expect(core.mmu.read(0x20000, 1, false)).toBe(0xfe);
  });

  test('an access over the top of the address space goes on at zero', () => {
    const core = bareCore();
    core.physical.write(0, 2, 0xbbaa);
    // The bytes at FFFFFFFEh are no RAM and read all ones.
    expect(core.mmu.read(-2, 4, false) >>> 0).toBe(0xbbaaffff);
  });
});

describe('page walk', () => {
  let core: Core;
  beforeEach(() => {
    core = pagedCore();
  });

  test('an access over a page border reaches two pages that are far apart', () => {
    map(core, 0, 0x20000 | P | RW);
    map(core, 1, 0x30000 | P | RW);
    core.mmu.write(0x400ffd, 4, 0x44332211, false);
    expect(peek32(core, 0x20ffc) >>> 8).toBe(0x332211);
    expect(core.physical.read(0x30000, 1)).toBe(0x44);
    expect(core.mmu.read(0x400ffd, 4, false)).toBe(0x44332211);
  });

  test('a read sets A in both entries, a write D in the last one alone', () => {
    map(core, 0, 0x20000 | P | RW);
    core.mmu.read(0x400000, 4, false);
    expect(peek32(core, TABLE)).toBe(0x20000 | P | RW | A);
    expect(peek32(core, DIRECTORY + 4)).toBe(TABLE | P | RW | US | A);
    core.mmu.write(0x400000, 4, 1, false);
    expect(peek32(core, TABLE)).toBe(0x20000 | P | RW | A | D);
    expect(peek32(core, DIRECTORY + 4)).toBe(TABLE | P | RW | US | A);
  });

  test('an instruction fetch sets A', () => {
    map(core, 0, 0x20000 | P);
    expect(core.mmu.translateFetch(0x400123, false)).toBe(0x20123);
    expect(peek32(core, TABLE)).toBe(0x20000 | P | A);
  });

  // What hardware says, row by row: Intel SDM vol. 3A §4.6.1 and §4.7.
  const rows: [string, number, boolean, boolean, number | null][] = [
    ['absent, read', 0, false, false, 0],
    ['absent, write', 0, true, false, PF_WRITE],
    ['absent, user read', 0, false, true, PF_USER],
    ['absent, user write', 0, true, true, PF_WRITE | PF_USER],
    ['supervisor page, supervisor read', P, false, false, null],
    ['supervisor page, user read', P | RW, false, true, PF_PRESENT | PF_USER],
    ['supervisor page, user write', P | RW, true, true, PF_PRESENT | PF_WRITE | PF_USER],
    ['user page, read-only, user read', P | US, false, true, null],
    ['user page, read-only, user write', P | US, true, true, PF_PRESENT | PF_WRITE | PF_USER],
    ['user page, writable, user write', P | US | RW, true, true, null],
    ['read-only, supervisor write, WP clear', P | US, true, false, null],
  ];
  test.each(rows)('%s', (_name, bits, isWrite, user, errorCode) => {
    map(core, 0, 0x20000 | bits);
    const access = () => {
      if (isWrite) core.mmu.write(0x400004, 4, 7, user);
      else core.mmu.read(0x400004, 4, user);
    };
    if (errorCode === null) {
      expect(access).not.toThrow();
    } else {
      expectFault(core, VECTOR_PF, errorCode, access);
      expect(fault.cr2).toBe(0x400004);
    }
  });

  test('the directory entry can forbid what the table entry allows', () => {
    poke32(core, DIRECTORY + 4, TABLE | P | US);
    map(core, 0, 0x20000 | P | RW | US);
    expectFault(core, VECTOR_PF, PF_PRESENT | PF_WRITE | PF_USER, () =>
      core.mmu.write(0x400000, 1, 0, true),
    );
    poke32(core, DIRECTORY + 4, TABLE | P | RW);
    expectFault(core, VECTOR_PF, PF_PRESENT | PF_USER, () => core.mmu.read(0x400000, 1, true));
  });

  test('CR0.WP forbids the supervisor to write read-only pages', () => {
    map(core, 0, 0x20000 | P | US);
    core.mmu.write(0x400000, 4, 1, false);
    setCr(core, L.CR0, CR0_WP);
    expectFault(core, VECTOR_PF, PF_PRESENT | PF_WRITE, () =>
      core.mmu.write(0x400000, 4, 1, false),
    );
  });

  test('a write over a border into a forbidden page changes no byte, no A and no D', () => {
    map(core, 0, 0x20000 | P | RW);
    map(core, 1, 0);
    expectFault(core, VECTOR_PF, PF_WRITE, () => core.mmu.write(0x400ffe, 4, -1, false));
    expect(fault.cr2).toBe(0x401000);
    expectFault(core, VECTOR_PF, PF_WRITE, () => core.mmu.probeWrite(0x400ffe, 4, false));
  });

  test('a change of a table entry is seen at once, with no INVLPG', () => {
    map(core, 0, 0x20000 | P | RW);
    poke32(core, 0x20000, 0x11);
    poke32(core, 0x30000, 0x22);
    expect(core.mmu.read(0x400000, 4, false)).toBe(0x11);
    // The table lies in identity-mapped memory: written as a guest would write it.
    core.mmu.write(TABLE, 4, 0x30000 | P | RW, false);
    expect(core.mmu.read(0x400000, 4, false)).toBe(0x22);
    core.mmu.write(TABLE, 4, 0, false);
    expectFault(core, VECTOR_PF, 0, () => core.mmu.read(0x400000, 4, false));
  });

  test('clearing D by hand has it set again by the next write', () => {
    map(core, 0, 0x20000 | P | RW);
    core.mmu.write(0x400000, 4, 1, false);
    core.mmu.write(TABLE, 4, 0x20000 | P | RW, false);
    core.mmu.write(0x400000, 4, 2, false);
    expect(peek32(core, TABLE)).toBe(0x20000 | P | RW | A | D);
  });

  test('an absent entry that becomes present drops no translations; a present one that changes does', () => {
    map(core, 0, 0x20000 | P);
    core.mmu.read(0x400000, 1, false);
    let flushes = 0;
    core.mmu.onFlush = () => {
      flushes += 1;
    };
    map(core, 1, 0x21000 | P | RW);
    expect(core.mmu.peek(0x401000)).toBe(0x21000);
    expect(flushes).toBe(0);
    map(core, 0, 0x21000 | P);
    expect(flushes).toBe(1);
  });

  test('setting accessed and dirty bits drops no translations', () => {
    map(core, 0, 0x20000 | P | RW);
    let flushes = 0;
    core.mmu.onFlush = () => {
      flushes += 1;
    };
    core.mmu.read(0x400000, 4, false);
    core.mmu.write(0x400000, 4, 1, false);
    expect(flushes).toBe(0);
    core.mmu.write(TABLE, 4, 0, false);
    expect(flushes).toBe(1);
  });

  test('peek ignores privilege and changes nothing', () => {
    map(core, 0, 0x20000 | P);
    expect(core.mmu.peek(0x400123)).toBe(0x20123);
    expect(core.mmu.peek(0x401000)).toBe(-1);
    expect(core.mmu.peek(0x800000)).toBe(-1);
    expect(peek32(core, TABLE)).toBe(0x20000 | P);
  });

  describe('4 MiB pages', () => {
    test('map with one entry, whose A and D are set', () => {
      setCr(core, L.CR4, CR4_PSE);
      poke32(core, DIRECTORY + 8, P | RW | PS);
      core.mmu.write(0x800000 + 0x23456, 1, 0x5a, false);
      expect(core.physical.read(0x23456, 1)).toBe(0x5a);
      expect(peek32(core, DIRECTORY + 8)).toBe(P | RW | PS | A | D);
      expect(core.mmu.peek(0x823456)).toBe(0x23456);
    });

    test('are off while CR4.PSE is clear', () => {
      poke32(core, DIRECTORY + 4, TABLE | P | RW | PS);
      map(core, 0, 0x20000 | P);
      poke32(core, 0x20000, 0x77);
      expect(core.mmu.read(0x400000, 1, false)).toBe(0x77);
    });

    test.each([12, 13, 21])(
      'bit %i is reserved: #PF with RSVD and P, whatever the access',
      (bit) => {
        setCr(core, L.CR4, CR4_PSE);
        poke32(core, DIRECTORY + 8, P | RW | US | PS | (1 << bit));
        expectFault(core, VECTOR_PF, PF_RESERVED | PF_PRESENT | PF_WRITE | PF_USER, () =>
          core.mmu.write(0x800000, 4, 0, true),
        );
      },
    );

    test('reserved bits of an absent entry are the guest’s own', () => {
      setCr(core, L.CR4, CR4_PSE);
      poke32(core, DIRECTORY + 8, PS | (1 << 21));
      expectFault(core, VECTOR_PF, 0, () => core.mmu.read(0x800000, 4, false));
    });
  });
});

describe('TLB', () => {
  test('a translation is filled for plain loads, and for plain stores once the page is dirty', () => {
    const core = pagedCore();
    core.physical.write(0x20000, 1, 1);
    map(core, 5, 0x20000 | P | RW);
    const entry = L.TLB_SUPERVISOR + 0x405 * L.TLB_ENTRY_BYTES;
    core.mmu.read(0x405000, 4, false);
    expect(core.state.get(entry + L.TLB_READ_TAG)).toBe(0x405000);
    expect(core.state.get(entry + L.TLB_WRITE_TAG)).toBe(L.TLB_NONE);
    core.mmu.write(0x405000, 4, 0, false);
    expect(core.state.get(entry + L.TLB_WRITE_TAG)).toBe(0x405000);
    expect((0x405678 + core.state.get(entry + L.TLB_ADDEND)) | 0).toBe(L.RAM_BASE + 0x20678);
    expect(core.state.get(L.TLB_USER + 0x405 * L.TLB_ENTRY_BYTES)).toBe(L.TLB_NONE);
    core.mmu.flush();
    expect(core.state.get(entry + L.TLB_READ_TAG)).toBe(L.TLB_NONE);
  });

  test('pages that hold decoded code get no plain stores, and their writes are heard of', () => {
    const core = bareCore();
    const heard: number[] = [];
    core.physical.onCodeWrite = (page) => heard.push(page);
    core.mmu.write(0x20000, 4, 0, false);
    core.physical.markCode(0x20010, 4);
    core.mmu.write(0x20010, 4, 0x1234, false);
    core.mmu.write(0x20010, 4, 0x5678, false);
    expect(heard).toEqual([0x20, 0x20]);
    expect(peek32(core, 0x20010)).toBe(0x5678);
  });

  test('a page that gets a flag loses plain stores by all its addresses, and no other page does', () => {
    const core = pagedCore();
    for (const page of [0x20, 0x21]) core.physical.write(page << 12, 1, 1);
    [0x20, 0x20, 0x21].forEach((page, i) => map(core, i, (page << 12) | P | RW | A | D));
    const tags = [0, 1, 2].map((i) => L.TLB_SUPERVISOR + (0x400 + i) * L.TLB_ENTRY_BYTES);
    for (const linear of [0x400000, 0x401000, 0x402000]) core.mmu.read(linear, 4, false);
    const plain = () => tags.map((entry) => core.state.get(entry + L.TLB_WRITE_TAG));
    expect(plain()).toEqual([0x400000, 0x401000, 0x402000]);
    core.physical.markCode(0x20000, 1);
    expect(plain()).toEqual([L.TLB_NONE, L.TLB_NONE, 0x402000]);
    core.physical.beginEpoch();
    expect(plain()).toEqual([L.TLB_NONE, L.TLB_NONE, L.TLB_NONE]);
  });

  test('an epoch that begins has the first write of each page noted', () => {
    const core = bareCore();
    core.mmu.write(0x20000, 4, 1, false);
    const epoch = core.physical.beginEpoch();
    core.mmu.write(0x20000, 4, 2, false);
    core.mmu.write(0x20004, 4, 3, false);
    expect(core.physical.writtenEpoch[0x20]).toBe(epoch);
    expect(core.physical.writtenEpoch[0x21]).not.toBe(epoch);
  });

  test('misaligned user accesses are #AC while alignment is checked, also after a TLB hit', () => {
    const core = bareCore();
    core.mmu.read(0x20001, 4, true);
    core.mmu.checksAlignment = true;
    expectFault(core, VECTOR_AC, 0, () => core.mmu.read(0x20001, 4, true));
    expectFault(core, VECTOR_AC, 0, () => core.mmu.write(0x20001, 2, 0, true));
    core.mmu.read(0x20004, 4, true);
    expectFault(core, VECTOR_AC, 0, () => core.mmu.read(0x20006, 4, true));
    expect(() => core.mmu.read(0x20001, 4, false)).not.toThrow();
    expect(() => core.mmu.read(0x20001, 1, true)).not.toThrow();
  });

  test('is invisible: the same accesses give the same with it and without', () => {
    // Two cores run the same accesses; one drops its TLB before each.
    const access = fc.record({
      page: fc.integer({ min: 0, max: 7 }),
      offset: fc.constantFrom(0, 4, 0x123, 0xffd, 0xfff),
      size: fc.constantFrom<AccessSize>(1, 2, 4),
      isWrite: fc.boolean(),
      user: fc.boolean(),
      value: fc.integer(),
    });
    const remap = fc.record({ index: fc.integer({ min: 0, max: 7 }), bits: fc.nat(7) });
    // Entries in part, or more than one, of the table or of the directory.
    const scribble = fc.record({
      at: fc.oneof(fc.integer({ min: TABLE, max: TABLE + 34 }), fc.constant(DIRECTORY + 4)),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(access, remap, scribble), { maxLength: 60 }), (steps) => {
        const cached = pagedCore();
        const fresh = pagedCore();
        for (const step of steps) {
          fresh.mmu.flush();
          if ('index' in step) {
            // Odd entries share frames, so pages alias each other.
            const entry = (0x20000 + (step.index >> 1) * 0x1000) | step.bits;
            for (const core of [cached, fresh]) {
              core.mmu.write(TABLE + step.index * 4, 4, entry, false);
            }
            continue;
          }
          if ('bytes' in step) {
            for (const core of [cached, fresh]) core.physical.load(step.at, step.bytes);
            continue;
          }
          const outcomes = [cached, fresh].map((core) => {
            const linear = 0x400000 + step.page * 0x1000 + step.offset;
            try {
              if (!step.isWrite) return core.mmu.read(linear, step.size, step.user);
              core.mmu.write(linear, step.size, step.value, step.user);
              return 'written';
            } catch (thrown) {
              if (!(thrown instanceof Fault)) throw thrown;
              return `fault ${thrown.errorCode} at ${thrown.cr2}`;
            }
          });
          expect(outcomes[0]).toBe(outcomes[1]);
        }
        expect(Buffer.compare(cached.physical.ram, fresh.physical.ram)).toBe(0);
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});

describe('AccessWatch', () => {
  function watched(core: Core): string[] {
    const hits: string[] = [];
    core.mmu.watch = {
      pages: new Set([0x20]),
      hit: (linear, size, kind) => {
        hits.push(`${kind} ${linear.toString(16)} ${size} ${peek32(core, 0x20000)}`);
      },
    };
    return hits;
  }

  test('hears each access to its pages, of a write before the bytes change', () => {
    const core = bareCore();
    const hits = watched(core);
    core.mmu.write(0x20000, 4, 5, false);
    core.mmu.write(0x20000, 4, 6, false);
    core.mmu.read(0x20003, 1, true);
    core.mmu.read(0x21000, 4, false);
    expect(hits).toEqual(['write 20000 4 0', 'write 20000 4 5', 'read 20003 1 6']);
  });

  test('hears an access that only ends or only begins in its pages', () => {
    const core = bareCore();
    const hits = watched(core);
    core.mmu.read(0x1fffe, 4, false);
    core.mmu.read(0x20ffe, 4, false);
    expect(hits).toEqual(['read 1fffe 4 0', 'read 20ffe 4 0']);
  });

  test('hears nothing of an access that faults, of probes, fetches and peeks', () => {
    const core = pagedCore();
    core.mmu.write(0x12000 + 0x20 * 4, 4, 0x20000 | P, false);
    const hits = watched(core);
    expect(() => core.mmu.write(0x20000, 4, 0, true)).toThrow();
    core.mmu.probeWrite(0x20000, 4, false);
    core.mmu.translateFetch(0x20000, false);
    core.mmu.peek(0x20000);
    expect(hits).toEqual([]);
  });
});
