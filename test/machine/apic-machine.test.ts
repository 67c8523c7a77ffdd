/** The local APIC as programs meet it: through the processor, its MSR, CPUID, and memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { HALTED, IDTR_BASE, IDTR_LIMIT } from '../../src/cpu/state-layout.js';
import { Machine, type MachineOptions } from '../../src/machine/index.js';
import { LINE_APIC_TIMER, LINE_APIC_VECTOR } from '../../src/machine/input.js';
import { loadImage } from '../../src/machine/loaders/image.js';

const CODE = 0x100000;
const IDT = 0x2000;
const HANDLERS = 0x3000;
const MIB = 1 << 20;

let machine: Machine;
let accepted: { vector: number; line: number; at: number }[];
let raised: number[];
let now: number;

/** A machine about to execute these bytes at CODE, with an IDT whose handlers count themselves and return. */
function start(options: Partial<MachineOptions>, ...code: number[]): void {
  machine = new Machine({ memoryBytes: 4 * MIB, ...options });
  now = 0;
  machine.requestClock = (source) => machine.inject({ kind: 'clock', source, value: now });
  accepted = [];
  raised = [];
  machine.observer = {
    irqRaised: (line) => raised.push(line),
    irqAccepted: (vector, line) => accepted.push({ vector, line, at: machine.cpu.instant }),
  };
  loadImage(machine, { name: 'code', bytes: Uint8Array.from(code) }, { address: CODE });
  const { physical, state } = machine.cpu.core;
  for (let vector = 0; vector < 256; vector++) {
    const handler = HANDLERS + vector * 16;
    physical.write(IDT + vector * 8, 4, (8 << 16) | handler);
    physical.write(IDT + vector * 8 + 4, 4, 0x8e00);
    // incb COUNT+vector; iret
    physical.load(handler, Uint8Array.of(0xfe, 0x05, vector, 0x40, 0, 0, 0xcf));
  }
  state.set(IDTR_BASE, IDT);
  state.set(IDTR_LIMIT, 0x7ff);
}

const COUNTS = 0x4000;
const taken = (vector: number): number => machine.cpu.core.physical.ram[COUNTS + vector];
const eax = (): number => machine.cpu.core.state.reg32(0) >>> 0;

function le(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}

/** movl $value, register of the APIC. */
const write = (register: number, value: number, base = 0xfee00000): number[] => [
  ...[0xc7, 0x05, ...le(base + register)],
  ...le(value),
];
/** mov a register of the APIC, %eax */
const read = (register: number, base = 0xfee00000): number[] => [0xa1, ...le(base + register)];
/** mov $1bh, %ecx; mov $low, %eax; mov $high, %edx; wrmsr */
const writeBase = (low: number, high = 0): number[] => [
  ...[0xb9, ...le(0x1b)],
  ...[0xb8, ...le(low)],
  ...[0xba, ...le(high)],
  ...[0x0f, 0x30],
];
const READ_BASE = [0xb9, ...le(0x1b), 0x0f, 0x32];
const CPUID_1 = [0xb8, ...le(1), 0x0f, 0xa2];
const STI = 0xfb;
const NOP = 0x90;
const CLI = 0xfa;
const HLT = 0xf4;
const GP = 13;

/** Runs to the HLT that ends the program. */
function finish(): void {
  expect(machine.run(10_000)).toBe('halted');
  expect(machine.cpu.core.state.get(HALTED)).toBe(1);
}

/** Executes so many instructions. */
function steps(count: number): void {
  machine.run(machine.cpu.instant + count);
}

describe('without --apic', () => {
  test('CPUID tells of none, MSR 1Bh faults, and nothing answers at FEE00000h', () => {
    start({}, ...CPUID_1, ...read(0x30), HLT);
    finish();
    expect(machine.cpu.core.state.reg32(2) & 0x200).toBe(0);
    expect(eax()).toBe(0xffffffff);
    expect(machine.apic).toBeNull();

    for (const [program, instructions] of [
      [READ_BASE, 2],
      [writeBase(0xfee00900), 4],
    ] as const) {
      start({}, ...program, HLT);
      steps(instructions);
      expect(machine.cpu.core.state.eip).toBe(HANDLERS + GP * 16);
    }
  });

  test('no trace may bring its timer', () => {
    start({}, HLT);
    expect(() => machine.inject({ kind: 'irq', line: LINE_APIC_TIMER })).toThrow('line 16');
  });
});

describe('with --apic', () => {
  test('CPUID tells of it until it is turned off, when its page is empty', () => {
    start({ apic: true }, ...CPUID_1, ...read(0x30), HLT);
    finish();
    expect(machine.cpu.core.state.reg32(2) & 0x200).toBe(0x200);
    expect(eax()).toBe(0x50014);

    start({ apic: true }, ...writeBase(0xfee00100), ...CPUID_1, ...read(0x30), HLT);
    finish();
    expect(machine.cpu.core.state.reg32(2) & 0x200).toBe(0);
    expect(eax()).toBe(0xffffffff);
  });

  test('MSR 1Bh reads as it was written, EDX included', () => {
    start({ apic: true }, ...writeBase(0x01234800, 3), ...READ_BASE, HLT);
    finish();
    expect(eax()).toBe(0x01234900);
    expect(machine.cpu.core.state.reg32(2)).toBe(3);
  });

  test.each([
    [0xfee00901, 0],
    [0xfee00d00, 0],
    [0xfee00900, 0x10],
  ])('reserved bits of MSR 1Bh are #GP(0): %i, %i', (low, high) => {
    start({ apic: true }, ...writeBase(low, high), HLT);
    steps(4);
    const { physical, state } = machine.cpu.core;
    expect(state.eip).toBe(HANDLERS + GP * 16);
    expect(physical.read(state.esp, 4)).toBe(0);
    expect(machine.apic?.baseLow).toBe(0xfee00900 | 0);
  });

  test('a request that TPR lets through is taken before the next instruction', () => {
    start(
      { apic: true },
      ...write(0x80, 0x40),
      ...write(0x300, 0x40045),
      STI,
      NOP,
      ...write(0x80, 0),
      CLI,
      HLT,
    );
    steps(4);
    expect(accepted).toEqual([]);
    finish();
    expect(accepted).toEqual([{ vector: 0x45, line: LINE_APIC_VECTOR + 0x45, at: 5 }]);
    expect(raised).toEqual([LINE_APIC_VECTOR + 0x45]);
    expect(taken(0x45)).toBe(1);
  });

  test('the shadow of STI holds for its interrupts too', () => {
    start({ apic: true }, ...write(0x300, 0x40045), STI, CLI, STI, NOP, CLI, HLT);
    finish();
    expect(accepted.map(({ at }) => at)).toEqual([5]);
  });

  test('an NMI to itself is taken at once, interrupts closed or not', () => {
    start({ apic: true }, ...write(0x300, 0x400), NOP, HLT);
    finish();
    expect(taken(2)).toBe(1);
    expect(accepted).toEqual([]);
  });

  test('the timer is an input on line 16, and ends a HLT', () => {
    start(
      { apic: true },
      ...write(0x3e0, 0xb),
      ...write(0x320, 0x80),
      ...write(0x380, 1000),
      ...[STI, HLT, CLI, HLT],
    );
    expect(machine.run(100)).toBe('halted');
    expect(machine.isWakeable).toBe(true);
    expect(machine.apic?.nextEdge(now)).toBe(1000);
    now = 1000;
    machine.inject({ kind: 'irq', line: LINE_APIC_TIMER });
    finish();
    expect(taken(0x80)).toBe(1);
    expect(accepted.map(({ line }) => line)).toEqual([LINE_APIC_TIMER]);
    expect(machine.isWakeable).toBe(false);
  });

  test('the current count is asked of the clock by the instruction that reads it', () => {
    start({ apic: true }, ...write(0x3e0, 0xb), ...write(0x380, 1000), ...read(0x390), HLT);
    steps(2);
    now = 300;
    finish();
    expect(eax()).toBe(700);
  });

  test('an instruction that reads and writes a register does each once', () => {
    // orl $0x30, TPR; addl $0x10, TPR
    const tpr = le(0xfee00080);
    start({ apic: true }, 0x83, 0x0d, ...tpr, 0x30, 0x83, 0x05, ...tpr, 0x10, ...read(0x80), HLT);
    finish();
    expect(eax()).toBe(0x40);
  });

  test('INIT to itself ends the run as a reset', () => {
    start({ apic: true }, ...write(0x300, 0x4500), NOP, HLT);
    expect(machine.run(100)).toBe('reset');
    expect(machine.cpu.instant).toBe(1);
  });

  test('NMI from outside comes by LINT1, and not where that is masked or port 70h bit 7 is set', () => {
    start({ apic: true }, ...write(0x360, 0x10400), NOP, HLT);
    machine.inject({ kind: 'nmi' });
    steps(4);
    expect(taken(2)).toBe(1);
    machine.inject({ kind: 'nmi' });
    finish();
    expect(taken(2), 'masked by then').toBe(1);

    // mov $0x80, %al; out %al, $0x70
    start({ apic: true }, 0xb0, 0x80, 0xe6, 0x70, NOP, HLT);
    steps(2);
    machine.inject({ kind: 'nmi' });
    finish();
    expect(taken(2)).toBe(0);
  });

  test('LINT0 as NMI: an interrupt of the 8259s wakes a processor that takes none', () => {
    // mov $0xfe, %al; out %al, $0x21
    start({ apic: true }, ...write(0x350, 0x400), 0xb0, 0xfe, 0xe6, 0x21, HLT, HLT);
    expect(machine.run(100)).toBe('halted');
    expect(machine.isWakeable).toBe(true);
    machine.inject({ kind: 'irq', line: 0 });
    finish();
    expect(taken(2)).toBe(1);
  });
});

describe('the page of registers', () => {
  beforeEach(() => {
    start(
      { apic: true },
      ...[0xc7, 0x05, ...le(0x00200030), ...le(0x11111111)], // movl $0x11111111, 0x200030
      ...writeBase(0x00200900),
      ...read(0x30, 0x200000),
      ...write(0x80, 0x55, 0x200000),
      ...[0x8b, 0x1d, ...le(0xfee00030)], // mov 0xfee00030, %ebx
      ...writeBase(0xfee00900),
      ...[0x8b, 0x0d, ...le(0x00200030)], // mov 0x200030, %ecx
      ...[0x8b, 0x15, ...le(0x00200080)], // mov 0x200080, %edx
      ...read(0x80),
      HLT,
    );
  });

  test('hides RAM where it is moved to, and shows it again as it was', () => {
    steps(6);
    expect(eax()).toBe(0x50014);
    finish();
    const { state } = machine.cpu.core;
    expect(state.reg32(3), 'nothing is left where it was').toBe(-1);
    expect(state.reg32(1)).toBe(0x11111111);
    expect(state.reg32(2), 'the write went to TPR').toBe(0);
    expect(eax()).toBe(0x55);
  });

  test('is where it was when a state is restored', () => {
    steps(6);
    const moved = machine.save();
    finish();
    const end = machine.save();
    machine.restore(moved);
    expect(machine.cpu.core.physical.read(0x200030, 4)).toBe(0x50014);
    finish();
    expect(machine.save()).toEqual(end);
    machine.reset();
    expect(machine.cpu.core.physical.read(0x200030, 4)).toBe(0x11111111);
  });

  test('while RAM is hidden, epochs of written pages lose no write', () => {
    const { physical } = machine.cpu.core;
    steps(6);
    physical.beginEpoch();
    finish();
    const epoch = physical.beginEpoch();
    physical.write(0x200030, 4, 5);
    expect(physical.writtenEpoch[0x200]).toBe(epoch);
  });
});
