/** Page-table updates through the ROM: at once, deferred, lazy, and by whom they are seen. */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { RomCaller, SCRATCH } from './support/rom-caller.js';

const PT = 0x01;
const CURRENT_AS = 0x10;
const DEFER = 0x20;
const LAZY_MMU = 1;
const SET_PXE = 38;
const SET_PXE_LONG = 39;
const SET_LAZY_MODE = 73;
const PRESENT_WRITABLE = 3;
/** A page of the direct map, mapped by this entry. */
const WINDOW = 0xc0330000;

function entryOf(guest: RomCaller, linear: number): number {
  return guest.address('page_table') + ((linear >>> 12) & 0x3ff) * 4;
}

/** A store of an entry that may wait. */
function defer(guest: RomCaller, entry: number, value: number): void {
  const ecx = (WINDOW + PT + CURRENT_AS + DEFER) | 0;
  expect(guest.call(SET_PXE, { eax: value, edx: entry, ecx }).fault).toBeNull();
}

describe('SetPxE', () => {
  test('stores the entry, and the page is mapped so at once', () => {
    const guest = new RomCaller();
    const entry = entryOf(guest, WINDOW);
    guest.write(SCRATCH, 0x1234);
    guest.call(SET_PXE, { eax: (SCRATCH - 0xc0000000) | PRESENT_WRITABLE, edx: entry, ecx: PT });
    expect(guest.read(WINDOW)).toBe(0x1234);
  });

  test('with DEFER waits for nothing outside of lazy mode', () => {
    const guest = new RomCaller();
    defer(guest, SCRATCH, 0x1003);
    expect(guest.read(SCRATCH)).toBe(0x1003);
  });

  test('in lazy mode 1 waits only with DEFER and for the present address space', () => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    guest.call(SET_PXE, { eax: 1, edx: SCRATCH, ecx: PT });
    expect(guest.read(SCRATCH)).toBe(1);
    guest.call(SET_PXE, { eax: 2, edx: SCRATCH, ecx: PT | DEFER });
    expect(guest.read(SCRATCH)).toBe(2);
    defer(guest, SCRATCH, 3);
    expect(guest.read(SCRATCH)).toBe(2);
  });

  test('of a table that AllocatePage was not told of is done, and reported once', () => {
    const guest = new RomCaller({ isFresh: true });
    for (const value of [5, 6]) guest.call(SET_PXE, { eax: value, edx: SCRATCH, ecx: PT });
    expect(guest.read(SCRATCH)).toBe(6);
    expect(guest.reports.filter((text) => text.includes('call 38 (SetPxE)'))).toHaveLength(1);
  });

  test('of a registered one is not', () => {
    const guest = new RomCaller({ isFresh: true });
    guest.call(44, { eax: (SCRATCH - 0xc0000000) >>> 12, edx: 0x41, ecx: 0 }, [0, 0]);
    guest.call(SET_PXE, { eax: 5, edx: SCRATCH, ecx: PT });
    expect(guest.reports).toHaveLength(1);
    guest.call(45, { eax: (SCRATCH - 0xc0000000) >>> 12, edx: 0x01 });
    guest.call(SET_PXE, { eax: 5, edx: SCRATCH, ecx: PT });
    expect(guest.reports).toHaveLength(2);
  });
});

describe('SetPxELong', () => {
  test.each([0x1003, 0x1000])('stores all eight bytes of %i', (low) => {
    const guest = new RomCaller();
    guest.call(SET_PXE_LONG, { eax: low, edx: 0x77, ecx: SCRATCH }, [PT]);
    expect([guest.read(SCRATCH), guest.read(SCRATCH + 4)]).toEqual([low, 0x77]);
  });

  test('waits in lazy mode 1, as SetPxE does', () => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    const flags = (WINDOW + PT + CURRENT_AS + DEFER) | 0;
    guest.call(SET_PXE_LONG, { eax: 0x1003, edx: 0x77, ecx: SCRATCH }, [flags]);
    expect(guest.read(SCRATCH)).not.toBe(0x1003);
    guest.call(SET_LAZY_MODE, { eax: 0 });
    expect([guest.read(SCRATCH), guest.read(SCRATCH + 4)]).toEqual([0x1003, 0x77]);
  });
});

describe('what waits is done', () => {
  test.each([
    ['SetLazyMode', (guest: RomCaller) => guest.call(SET_LAZY_MODE, { eax: 0 })],
    ['FlushTLB', (guest: RomCaller) => guest.call(47, { eax: 1 })],
    ['InvalPage', (guest: RomCaller) => guest.call(46, { eax: WINDOW })],
    ['SetCR3', (guest: RomCaller) => guest.call(17, { eax: guest.state.get(L.CR3) })],
    ['UpdateKernelStack', (guest: RomCaller) => guest.call(14, { eax: 0x68, edx: SCRATCH })],
    [
      'an update that may not wait',
      (guest: RomCaller) => guest.call(SET_PXE, { eax: 0, edx: SCRATCH + 64, ecx: PT }),
    ],
  ] as const)('by %s', (_name, act) => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    defer(guest, SCRATCH, 0x1003);
    defer(guest, SCRATCH + 4, 0x2003);
    expect(guest.read(SCRATCH + 4)).not.toBe(0x2003);
    act(guest);
    expect([guest.read(SCRATCH), guest.read(SCRATCH + 4)]).toEqual([0x1003, 0x2003]);
  });

  test('before an interrupt is injected', () => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    defer(guest, SCRATCH, 0x1003);
    guest.machine.inject({ kind: 'nmi' });
    guest.runTo(guest.handler(2));
    expect(guest.read(SCRATCH)).toBe(0x1003);
  });

  test('by a page fault, which the guest then does not see', () => {
    const guest = new RomCaller();
    const entry = entryOf(guest, WINDOW);
    guest.write(SCRATCH, 0x5eed);
    guest.call(SET_PXE, { eax: 0, edx: entry, ecx: PT });
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    defer(guest, entry, (SCRATCH - 0xc0000000) | PRESENT_WRITABLE);
    // MOV EAX, [WINDOW]; JMP to itself.
    const code = SCRATCH + 0x100;
    guest.write(code, 0xa1 | (WINDOW << 8), (WINDOW >>> 24) | 0xfeeb00);
    guest.state.eip = code | 0;
    guest.runTo(code + 5, 10);
    expect(guest.state.get(L.EAX)).toBe(0x5eed);
  });

  test('in the order in which it came, when there is too much of it', () => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    for (let count = 1; count <= 128; count++) defer(guest, SCRATCH, count);
    expect(guest.read(SCRATCH)).toBe(128);
  });

  test('by whoever a checkpoint is restored to', () => {
    const guest = new RomCaller();
    guest.call(SET_LAZY_MODE, { eax: LAZY_MMU });
    defer(guest, SCRATCH, 0x1003);
    const state = guest.machine.save();
    guest.call(SET_LAZY_MODE, { eax: 0 });
    guest.write(SCRATCH, 0);
    guest.machine.restore(state);
    guest.call(SET_LAZY_MODE, { eax: 0 });
    expect(guest.read(SCRATCH)).toBe(0x1003);
  });
});

test('SetLazyMode knows three modes, and reports any other', () => {
  const guest = new RomCaller({ isFresh: true });
  for (const mode of [0, 1, 2]) guest.call(SET_LAZY_MODE, { eax: mode });
  expect(guest.reports).toHaveLength(1);
  guest.call(SET_LAZY_MODE, { eax: 3 });
  expect(guest.reports.at(-1)).toContain('call 73 (SetLazyMode)');
});

test('AllocatePage reports a page that is no RAM, ReleasePage one that was not registered', () => {
  const guest = new RomCaller({ isFresh: true });
  guest.call(44, { eax: 0x400, edx: 1, ecx: 0 }, [0, 0]);
  guest.call(45, { eax: 0x3ff, edx: 1 });
  expect(guest.reports.slice(1).map((text) => text.slice(0, 11))).toEqual([
    'VMI call 44',
    'VMI call 45',
  ]);
});

test('UpdatePxE, UpdatePxELong, SetLinearMapping and FlushTLB change nothing that the guest can see', () => {
  const guest = new RomCaller();
  const before = guest.machine.cpu.core.physical.ram.slice(0x300000);
  guest.call(40, { eax: SCRATCH, edx: PT });
  guest.call(41, { eax: SCRATCH, edx: PT });
  guest.call(48, { eax: 1, edx: WINDOW, ecx: 1 }, [0x330]);
  guest.call(47, { eax: 2 });
  const after = guest.machine.cpu.core.physical.ram.slice(0x300000);
  // The stack apart.
  expect(after.subarray(0, 0x20000)).toEqual(before.subarray(0, 0x20000));
});

test('MachineToPhysical and PhysicalToMachine give what they were given', () => {
  const guest = new RomCaller();
  expect(guest.call(42, { eax: 0x1234 }).eax).toBe(0x1234);
  expect(guest.call(43, { eax: 0x4321 }).eax).toBe(0x4321);
});
