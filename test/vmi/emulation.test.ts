/** Each instruction that traps at CPL 1, and those that should and don't. */
import { describe, expect, test } from 'vitest';
import { EFLAGS_TF, writeEflags } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import { REAL_GDT, REAL_IDT, SHADOW_CR0 } from '../../src/vmi/layout.js';
import { Guest, handler, IRQ5, KERNEL_DS, START, USER_CODE } from './support/guest.js';

const EFLAGS_IF = 0x200;
const scheme = 'rollforward';

function guestWith(...code: readonly number[]): Guest {
  return new Guest([...code, 0xeb, 0xfe], { scheme });
}

/** What is compared of a guest that has executed one instruction. */
function outcome(guest: Guest): unknown {
  const { state } = guest;
  return {
    eip: guest.eip,
    registers: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => state.reg32(index)),
    control: [L.CR0, L.CR2, L.CR3, L.CR4, L.DR0, L.DR7].map((word) => state.get(word)),
    ldt: [state.selector(L.SEG_LDTR), state.segmentBase(L.SEG_LDTR)],
    sysenter: [L.MSR_SYSENTER_ESP, L.MSR_SYSENTER_EIP].map((word) => state.get(word)),
    isHalted: state.get(L.HALTED),
    isOpen: guest.interruptFlag,
    shadow: state.get(L.SHADOW),
    memory: [guest.read(0x18000), guest.read(0x18004)],
  };
}

// biome-ignore format: table
const ALIKE: readonly (readonly [string, readonly number[], number])[] = [
  ['CLI', [0xfa], 0],
  ['STI', [0xfb], 0],
  ['HLT', [0xf4], 0],
  ['IN AL, imm8', [0xe4, 0x21], 0],
  ['IN EAX, imm8', [0xe5, 0x80], 0],
  ['IN AL, DX', [0xec], 0x21],
  ['IN EAX, DX', [0xed], 0x80],
  ['OUT imm8, AL', [0xe6, 0x80], 0],
  ['OUT imm8, EAX', [0xe7, 0x80], 0],
  ['OUT DX, AL', [0xee], 0x80],
  ['OUT DX, EAX', [0xef], 0x80],
  ['MOV EAX, CR0', [0x0f, 0x20, 0xc0], 0],
  ['MOV EAX, CR2', [0x0f, 0x20, 0xd0], 0],
  ['MOV EAX, CR3', [0x0f, 0x20, 0xd8], 0],
  ['MOV EAX, CR4', [0x0f, 0x20, 0xe0], 0],
  ['MOV CR0, EDX', [0x0f, 0x22, 0xc2], 0x3b],
  ['MOV CR2, EDX', [0x0f, 0x22, 0xd2], 0x1234],
  ['MOV CR3, EDX', [0x0f, 0x22, 0xda], 0x5000],
  ['MOV CR4, EDX', [0x0f, 0x22, 0xe2], 0x10],
  ['MOV DR0, EDX', [0x0f, 0x23, 0xc2], 0x1234],
  ['MOV EAX, DR7', [0x0f, 0x21, 0xf8], 0],
  ['CLTS', [0x0f, 0x06], 0],
  ['LMSW DX', [0x0f, 0x01, 0xf2], 0x0b],
  ['INVLPG [EDX]', [0x0f, 0x01, 0x3a], 0x5000],
  ['WBINVD', [0x0f, 0x09], 0],
  ['INVD', [0x0f, 0x08], 0],
  ['LLDT DX', [0x0f, 0x00, 0xd2], 0],
];

test.each(ALIKE)('%s is as at CPL 0, in one step that retires nothing', (_name, code, edx) => {
  const [bare, guest] = [null, scheme].map((under) => {
    const made = new Guest([...code, 0xeb, 0xfe], { scheme: under as typeof scheme });
    made.state.set(L.EDX, edx);
    return made;
  });
  const { retired, instant } = guest.machine.cpu;
  bare.step();
  guest.step();
  expect(outcome(guest)).toEqual(outcome(bare));
  expect(guest.state.cpl).toBe(1);
  expect(guest.machine.cpu.instant - instant).toBe(1);
  expect(guest.machine.cpu.retired).toBe(retired);
});

test.each([
  ['INSB', [0x6c]],
  ['INSD', [0x6d]],
  ['OUTSB', [0x6e]],
  ['OUTSD', [0x6f]],
  ['REP INSB', [0xf3, 0x6c]],
  ['REP OUTSD', [0xf3, 0x6f]],
])('%s is as at CPL 0, one step an element', (_name, code) => {
  const guests = [null, scheme].map((under) => {
    const made = new Guest([...code, 0xeb, 0xfe], { scheme: under as typeof scheme });
    made.state.set(L.EDX, 0x80);
    made.state.set(L.ECX, 2);
    made.state.set(L.ESI, 0x18000);
    made.state.set(L.EDI, 0x18000);
    made.step();
    return made;
  });
  expect(outcome(guests[1])).toEqual(outcome(guests[0]));
});

describe('WRMSR and RDMSR', () => {
  test.each([0x174, 0x175, 0x176])('of %i give back what was written', (number) => {
    const guest = guestWith(0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32);
    guest.state.set(L.ECX, number);
    guest.state.set(L.EAX, 0x1238);
    guest.step(3);
    expect(guest.state.get(L.EAX)).toBe(0x1238);
  });

  test('leave the processor no SYSENTER_CS, so that SYSENTER traps', () => {
    const guest = guestWith(0x0f, 0x30);
    guest.state.set(L.ECX, 0x174);
    guest.state.set(L.EAX, 8);
    guest.step();
    expect(guest.state.get(L.MSR_SYSENTER_CS)).toBe(0);
  });

  test('of a register that there is not fault at the instruction', () => {
    const guest = guestWith(0x0f, 0x32);
    guest.state.set(L.ECX, 0x999);
    guest.step();
    expect(guest.eip).toBe(handler(13));
    expect(guest.stack(2)).toEqual([0, START]);
  });
});

test('SYSENTER enters the kernel at CPL 1 with virtual IF clear', () => {
  const guest = guestWith(0xb9, 0x74, 1, 0, 0, 0xb8, 8, 0, 0, 0, 0x0f, 0x30);
  guest.step(3);
  guest.state.set(L.MSR_SYSENTER_EIP, 0x1234);
  guest.state.set(L.MSR_SYSENTER_ESP, 0x18100);
  guest.enterUser([0x0f, 0x34]);
  guest.step();
  const { state } = guest;
  expect([guest.eip, state.esp, state.cpl]).toEqual([0x1234, 0x18100, 1]);
  expect([state.selector(L.SEG_CS), state.selector(L.SEG_SS)]).toEqual([0x09, 0x11]);
  expect(guest.interruptFlag).toBe(false);
});

test('LGDT and LIDT keep the real tables, which SGDT and SIDT show', () => {
  const to = 0x18000;
  const sgdt = [0x0f, 0x01, 0x05, to & 0xff, (to >> 8) & 0xff, 1, 0];
  const sidt = [0x0f, 0x01, 0x0d, (to & 0xff) + 8, (to >> 8) & 0xff, 1, 0];
  const guest = guestWith(...sgdt, ...sidt);
  guest.step(2);
  expect(guest.read(to + 2) >>> 0).toBe(REAL_GDT);
  expect(guest.read(to + 10) >>> 0).toBe(REAL_IDT);
});

test('a MOV CR0 that would leave protected mode is #GP', () => {
  const guest = guestWith(0x0f, 0x22, 0xc2);
  guest.state.set(L.EDX, 0x10);
  guest.step();
  expect(guest.eip).toBe(handler(13));
});

test('the CR0 that the guest reads without a trap follows each write', () => {
  const guest = guestWith(0x0f, 0x22, 0xc2, 0x0f, 0x06);
  guest.state.set(L.EDX, 0x3b);
  guest.step();
  expect(guest.read(SHADOW_CR0)).toBe(0x3b);
  guest.step();
  expect(guest.read(SHADOW_CR0)).toBe(0x33);
});

test('GET_CR0 is patched to a load that does not trap', () => {
  const sites = [{ call: 24, address: START, length: 5 }];
  const guest = new Guest([0x0f, 0x20, 0xc0, 0x66, 0x90, 0xeb, 0xfe], { scheme, sites });
  const { retired } = guest.machine.cpu;
  guest.step();
  expect([guest.eip, guest.state.get(L.EAX)]).toEqual([START + 5, guest.state.cr0]);
  expect(guest.machine.cpu.retired).toBe(retired + 1);
});

test('MOV SS of a selector with RPL 0 loads it with RPL 1, and casts its shadow', () => {
  const guest = guestWith(0xb8, KERNEL_DS, 0, 0, 0, 0x8e, 0xd0);
  guest.step(2);
  expect(guest.state.selector(L.SEG_SS)).toBe(KERNEL_DS | 1);
  expect(guest.state.get(L.SHADOW)).toBe(L.SHADOW_MOV_SS);
});

test('UpdateKernelStack writes the TSS, and is the stack for events from then on', () => {
  const sites = [{ call: 19, address: START, length: 5 }];
  const guest = new Guest([0x89, 0x50, 0x04, 0x66, 0x90, 0xeb, 0xfe], { scheme, sites });
  guest.state.set(L.EAX, 0x14000);
  guest.state.set(L.EDX, 0x18800);
  guest.runTo(START + 5, 5);
  expect(guest.read(0x14004)).toBe(0x18800);
  guest.write(0x14004, 0x19000);
  guest.enterUser([0x0f, 0x0b]);
  guest.step();
  expect(guest.state.esp).toBe(0x18800 - 20);
});

describe('Halt', () => {
  const sites = [{ call: 42, address: START, length: 5 }];
  const code = [0xfb, 0xf4, 0x66, 0x66, 0x90, 0xeb, 0xfe];

  test('opens interrupts and sleeps until one comes', () => {
    const guest = new Guest(code, { scheme, sites });
    guest.step(2);
    expect(guest.machine.run(guest.machine.cpu.instant + 5)).toBe('halted');
    expect(guest.machine.isWakeable).toBe(true);
    guest.raise();
    guest.step();
    expect(guest.eip).toBe(handler(IRQ5));
  });

  test.each([0, 1, 2])('does not sleep through an IRQ that came after %i steps', (at) => {
    const guest = new Guest(code, { scheme, sites });
    guest.step(at);
    guest.raise();
    guest.runTo(handler(IRQ5), 5);
  });
});

test('a raw HLT with virtual IF clear is for good', () => {
  const guest = guestWith(0xf4);
  guest.step();
  guest.raise();
  expect(guest.machine.run(guest.machine.cpu.instant + 5)).toBe('halted');
  expect(guest.machine.isWakeable).toBe(false);
});

describe('what does not trap at CPL 1 is silently wrong', () => {
  test('PUSHF shows the real IF, and POPF changes no virtual one', () => {
    // PUSHF; POP EAX; PUSH 202h; POPF
    const guest = guestWith(0x9c, 0x58, 0x68, 0x02, 0x02, 0, 0, 0x9d);
    guest.step(2);
    expect(guest.state.get(L.EAX) & EFLAGS_IF).toBe(EFLAGS_IF);
    expect(guest.interruptFlag).toBe(false);
    guest.step(2);
    expect(guest.interruptFlag).toBe(false);
  });

  test('a raw IRET leaves virtual IF alone', () => {
    const guest = guestWith(0xcf);
    guest.write(guest.state.esp, START + 0x20, 0x09, 0x202);
    guest.step();
    expect([guest.eip, guest.interruptFlag]).toEqual([START + 0x20, false]);
  });

  test('SMSW and STR answer with no trap', () => {
    const guest = guestWith(0x0f, 0x01, 0xe0, 0x0f, 0x00, 0xc9);
    const { retired } = guest.machine.cpu;
    guest.step(2);
    expect(guest.machine.cpu.retired).toBe(retired + 2);
  });
});

test.each([
  ['CLI', [0xfa]],
  ['STI', [0xfb]],
  ['HLT', [0xf4]],
  ['OUT', [0xe6, 0x80]],
  ['MOV CR0', [0x0f, 0x20, 0xc0]],
  ['SYSENTER without SYSENTER_CS', [0x0f, 0x34]],
])("%s at CPL 3 is the guest kernel's #GP", (_name, code) => {
  const guest = guestWith();
  guest.enterUser(code);
  guest.step();
  expect(guest.eip).toBe(handler(13));
  expect(guest.stack(2)).toEqual([0, USER_CODE]);
});

test.each([
  ['CLI', [0xfa]],
  ['STI', [0xfb]],
  ['OUT 80h, AL', [0xe6, 0x80]],
  ['CLTS', [0x0f, 0x06]],
  ['MOV SS, AX', [0x8e, 0xd0]],
  ['RDMSR of none', [0x0f, 0x32]],
])('%s with TF set traps as at CPL 0', (_name, code) => {
  const seen = [null, scheme].map((under) => {
    const guest = new Guest([...code, 0x90, 0x90, 0xeb, 0xfe], { scheme: under as typeof scheme });
    guest.state.set(L.EAX, KERNEL_DS);
    guest.state.set(L.ECX, 0x999);
    writeEflags(guest.state, EFLAGS_TF, EFLAGS_TF);
    guest.machine.cpu.core.attention();
    guest.step(4);
    const frame = guest.stack(3);
    return [guest.eip, frame.map((word) => (word === 0x09 ? 0x08 : word)), guest.state.get(L.DR6)];
  });
  expect(seen[1]).toEqual(seen[0]);
});
