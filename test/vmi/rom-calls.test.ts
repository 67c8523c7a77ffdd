/** The contract of each call of the ROM: what goes in, what comes out, what is kept, and how it faults. */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { ROM_CALLS } from '../../src/vmi/rom/rom-calls.js';
import { harmless } from './support/harmless.js';
import { KERNEL_SS, RomCaller, SCRATCH, STACK, UNMAPPED } from './support/rom-caller.js';

const PF = 14;
const GP = 13;
const UD = 6;
/** Calls that never come back to their site, or not by themselves. */
const LEAVES = new Set([33, 34, 35, 36, 37]);
/** Words on the stack that take no call anywhere. */
const WORDS = [0, 0, 0];

/** CPUID changes EBX, and RDPMC faults: they are tested by themselves. */
const BY_THEMSELVES = new Set([0, 26]);
const returning = ROM_CALLS.filter(
  ({ number }) => number < 0x80 && !LEAVES.has(number) && !BY_THEMSELVES.has(number),
);

test.each(returning.map(({ number, name }) => [number, name] as const))(
  'call %i, %s, comes back with EBX, ESI, EDI, EBP, ESP and all selectors as they were',
  (number) => {
    const guest = new RomCaller();
    const outcome = guest.call(number, harmless(guest, number), WORDS);
    expect(outcome).toMatchObject({ fault: null, isPreserved: true });
    expect(guest.state.cpl).toBe(1);
  },
);

test.each(returning.map(({ number, name }) => [number, name] as const))(
  'call %i, %s, does so with null selectors in DS, ES, FS and GS',
  (number) => {
    const guest = new RomCaller();
    const registers = harmless(guest, number);
    guest.dropSegments();
    const outcome = guest.call(number, registers, WORDS);
    // INS and OUTS use the segments that their instructions use, when there is something to move.
    expect(outcome).toMatchObject({ fault: null, isPreserved: true });
  },
);

describe('the calls that promise to change flags alone', () => {
  test.each([
    [29, 'EnableInterrupts', null],
    [30, 'DisableInterrupts', null],
    [31, 'GetInterruptMask', 0],
    [32, 'SetInterruptMask', null],
  ] as const)('%i, %s, keeps EAX, EDX and ECX, but for a result', (number, _name, result) => {
    const guest = new RomCaller();
    guest.dropSegments();
    const outcome = guest.call(number, { eax: 0x12345046, edx: 0x7654321, ecx: 0x1020304 });
    const eax = result ?? 0x12345046;
    expect(outcome).toMatchObject({ fault: null, eax, edx: 0x7654321, ecx: 0x1020304 });
  });
});

describe('virtual IF', () => {
  test('is 0 after an Init with interrupts off', () => {
    expect(new RomCaller().call(31).eax).toBe(0);
  });

  test('is what EnableInterrupts, DisableInterrupts and bit 9 for SetInterruptMask make it', () => {
    const guest = new RomCaller();
    guest.call(29);
    expect(guest.call(31).eax).toBe(0x200);
    guest.call(30);
    expect(guest.call(31).eax).toBe(0);
    guest.call(32, { eax: 0x246 });
    expect(guest.call(31).eax).toBe(0x200);
    guest.call(32, { eax: 0x46 });
    expect(guest.hypervisor.interruptFlag).toBe(false);
  });
});

describe('descriptor tables', () => {
  test('SetGDT takes limit and base, and GetGDT gives them back', () => {
    const guest = new RomCaller();
    guest.write(SCRATCH, 0x00ff | ((guest.address('gdt') & 0xffff) << 16));
    guest.write(SCRATCH + 4, guest.address('gdt') >>> 16);
    guest.call(3, { eax: SCRATCH });
    guest.call(7, { eax: SCRATCH + 16 });
    expect(guest.read(SCRATCH + 16)).toBe(guest.read(SCRATCH));
    expect(guest.read(SCRATCH + 20) & 0xffff).toBe(guest.address('gdt') >>> 16);
  });

  test('SetGDT loads all segments anew, and null where that would fault', () => {
    const guest = new RomCaller();
    const gdt = SCRATCH + 0x100;
    for (let entry = 0; entry < 32; entry++) {
      guest.write(gdt + entry * 8, guest.read(guest.address('gdt') + entry * 8));
      guest.write(gdt + entry * 8 + 4, guest.read(guest.address('gdt') + entry * 8 + 4));
    }
    guest.write(gdt + 0x78, 0x0000ffff, 0x00cf7200);
    guest.write(SCRATCH, 0xff | ((gdt & 0xffff) << 16), gdt >>> 16);
    guest.call(3, { eax: SCRATCH });
    const { state } = guest;
    expect(state.selector(L.SEG_DS)).toBe(0);
    expect(state.segmentAccess(L.SEG_DS)).toBe(0);
    expect(state.selector(L.SEG_SS) & ~3).toBe(0x68);
    expect(state.selector(L.SEG_CS) & ~3).toBe(0x60);
  });

  test('SetIDT takes limit and base, and GetIDT gives them back', () => {
    const guest = new RomCaller();
    guest.write(SCRATCH, 0x3ff | (0x5678 << 16), 0xc034);
    guest.call(5, { eax: SCRATCH });
    guest.call(9, { eax: SCRATCH + 8 });
    expect(guest.read(SCRATCH + 8)).toBe(guest.read(SCRATCH));
    expect(guest.read(SCRATCH + 12) & 0xffff).toBe(0xc034);
  });

  test('SetLDT and SetTR load what GetLDT and GetTR give', () => {
    const guest = new RomCaller();
    guest.write(guest.address('gdt') + 0x88, ((SCRATCH & 0xffff) << 16) | 0xff);
    guest.write(
      guest.address('gdt') + 0x8c,
      (SCRATCH & 0xff000000) | 0x8200 | ((SCRATCH >>> 16) & 0xff),
    );
    expect(guest.call(4, { eax: 0x88 }).fault).toBeNull();
    expect(guest.call(8).eax).toBe(0x88);
    expect(guest.call(10).eax).toBe(0x80);
  });

  test.each([
    ['SetLDT', 4],
    ['SetTR', 6],
  ] as const)('%s faults at its site on a selector of another kind', (_name, number) => {
    const guest = new RomCaller();
    expect(guest.call(number, { eax: 0x60 })).toMatchObject({ fault: GP, eax: 0x60 });
    expect(guest.stack(3)[0]).toBe(0x60);
    expect(guest.stack(3)[1]).toBe(guest.address(`site${number}`));
  });

  test.each([
    ['WriteGDTEntry', 11],
    ['WriteLDTEntry', 12],
    ['WriteIDTEntry', 13],
  ] as const)('%s stores both words at table and index', (_name, number) => {
    const guest = new RomCaller();
    guest.call(number, { eax: SCRATCH, edx: 3, ecx: 0x1111ffff }, [0x00cf9200]);
    expect(guest.read(SCRATCH + 24)).toBe(0x1111ffff);
    expect(guest.read(SCRATCH + 28)).toBe(0x00cf9200);
  });

  test('an entry of the kernel that was written is one of CPL 1 when it is loaded', () => {
    const guest = new RomCaller();
    const gdt = guest.address('gdt');
    guest.call(11, { eax: gdt, edx: 0x90 >> 3, ecx: 0x0000ffff }, [0x00cf9200]);
    guest.call(3, { eax: guest.address('gdt_pointer') });
    guest.state.set(L.EAX, 0x90);
    // MOV DS, AX, in the guest's own memory.
    guest.write(SCRATCH, 0xd88e);
    guest.state.eip = SCRATCH | 0;
    guest.step();
    expect(guest.state.segmentAccess(L.SEG_DS) & 0x60).toBe(0x20);
    expect(guest.state.segmentLimit(L.SEG_DS) >>> 0).toBe(0xfbffffff);
  });
});

describe('UpdateKernelStack', () => {
  test('takes a stack selector and ESP, on which events from user mode come', () => {
    const guest = new RomCaller();
    guest.call(14, { eax: 0x68, edx: SCRATCH + 0x800 });
    guest.goTo(33);
    guest.write(guest.state.esp, guest.address('user_loop'), 0x73, 0x202, 0xc0182000, 0x7b);
    guest.runTo(guest.address('user_loop'));
    guest.machine.inject({ kind: 'nmi' });
    guest.runTo(guest.handler(2));
    expect(guest.state.esp >>> 0).toBe(SCRATCH + 0x800 - 20);
    expect(guest.state.selector(L.SEG_SS)).toBe(KERNEL_SS);
  });

  test('takes a TSS too, whose ESP0 it stores', () => {
    const guest = new RomCaller();
    guest.call(14, { eax: guest.address('tss'), edx: 0x1234 });
    expect(guest.read(guest.address('tss') + 4)).toBe(0x1234);
  });
});

describe('control, debug and model-specific registers', () => {
  test('SetCR0 and GetCR0', () => {
    const guest = new RomCaller();
    guest.call(15, { eax: 0x80010009 });
    expect(guest.call(19).eax >>> 0).toBe(0x80010019);
    guest.call(28);
    expect(guest.call(19).eax & 8).toBe(0);
  });

  test('SetCR2 and GetCR2', () => {
    const guest = new RomCaller();
    guest.call(16, { eax: 0x12345678 });
    expect(guest.call(20).eax).toBe(0x12345678);
  });

  test('SetCR3 and GetCR3', () => {
    const guest = new RomCaller();
    const cr3 = guest.state.get(L.CR3);
    guest.call(17, { eax: cr3 | 8 });
    expect(guest.call(21).eax).toBe(cr3 | 8);
  });

  test('SetCR4 and GetCR4', () => {
    const guest = new RomCaller();
    guest.call(18, { eax: 0x90 });
    expect(guest.call(22).eax).toBe(0x90);
  });

  test.each([
    ['SetCR0 without PE', 15, 0x80000000],
    ["SetCR4 with a bit that there isn't", 18, 0x80000000],
  ] as const)('%s is #GP at the site', (_name, number, eax) => {
    const guest = new RomCaller();
    expect(guest.call(number, { eax })).toMatchObject({
      fault: GP,
      eax: eax | 0,
      isPreserved: false,
    });
    expect(guest.stack(2)).toEqual([0, guest.address(`site${number}`)]);
    expect(guest.state.esp >>> 0).toBe(STACK - 16);
  });

  test('SetDR and GetDR, of each register', () => {
    const guest = new RomCaller();
    for (const number of [0, 1, 2, 3]) guest.call(24, { eax: number, edx: 0x1000 + number });
    for (const number of [0, 1, 2, 3])
      expect(guest.call(25, { eax: number }).eax).toBe(0x1000 + number);
    guest.call(24, { eax: 7, edx: 0x400 });
    expect(guest.call(25, { eax: 7 }).eax).toBe(0x400);
  });

  test('SetDR of a register that CR4.DE takes away is #UD at the site', () => {
    const guest = new RomCaller();
    guest.call(18, { eax: 8 });
    expect(guest.call(24, { eax: 4, edx: 0 }).fault).toBe(UD);
    expect(guest.stack(1)).toEqual([guest.address('site24')]);
  });

  test('GetDR of a register beyond 7 gives 0 and is reported', () => {
    const guest = new RomCaller({ isFresh: true });
    expect(guest.call(25, { eax: 8 }).eax).toBe(0);
    guest.call(25, { eax: 9 });
    expect(guest.reports.filter((text) => text.includes('call 25 (GetDR)'))).toHaveLength(1);
  });

  test('WRMSR and RDMSR', () => {
    const guest = new RomCaller();
    guest.call(1, { ecx: 0x174, eax: 0x60, edx: 0 });
    expect(guest.call(2, { ecx: 0x174 })).toMatchObject({ eax: 0x60, edx: 0 });
  });

  test.each([
    ['WRMSR', 1],
    ['RDMSR', 2],
  ] as const)('%s of a register that there is not is #GP at the site', (_name, number) => {
    const guest = new RomCaller();
    expect(guest.call(number, { ecx: 0x999 })).toMatchObject({ fault: GP, ecx: 0x999 });
    expect(guest.stack(2)).toEqual([0, guest.address(`site${number}`)]);
  });

  test('CPUID, RDTSC and WBINVD are the instructions', () => {
    const guest = new RomCaller();
    expect(guest.call(0, { eax: 0 }).ecx).not.toBe(0x33333333);
    guest.clocks.tsc = 0x1_0000_0005;
    expect(guest.call(27)).toMatchObject({ eax: 5, edx: 1 });
    expect(guest.call(23).fault).toBeNull();
  });

  test('RDPMC is #GP at the site: there are no counters', () => {
    const guest = new RomCaller();
    expect(guest.call(26, { ecx: 0 })).toMatchObject({ fault: GP });
    expect(guest.stack(2)[1]).toBe(guest.address('site26'));
  });
});

describe('a pointer to what is not mapped', () => {
  test.each([
    ['SetGDT', 3, {}],
    ['SetIDT', 5, {}],
    ['GetGDT', 7, {}],
    ['GetIDT', 9, {}],
    ['WriteGDTEntry', 11, { edx: 0 }],
    ['WriteLDTEntry', 12, { edx: 0 }],
    ['WriteIDTEntry', 13, { edx: 0 }],
    ['UpdateKernelStack', 14, {}],
    ['SetPxE', 38, { edx: UNMAPPED }],
    ['SetPxELong', 39, { ecx: UNMAPPED }],
  ] as const)('of %s is #PF at its site, with nothing changed', (_name, number, more) => {
    const guest = new RomCaller();
    const registers = { eax: UNMAPPED, edx: 0x222, ecx: 0x333, ...more };
    const outcome = guest.call(number, registers, WORDS);
    expect(outcome).toMatchObject({ fault: PF, ...registers });
    expect(guest.stack(2)[1]).toBe(guest.address(`site${number}`));
    expect(guest.state.get(L.CR2) & ~15).toBe(UNMAPPED);
    expect(guest.state.esp >>> 0).toBe(STACK - 4 * WORDS.length - 16);
    expect(guest.shims).toEqual([]);
  });
});
