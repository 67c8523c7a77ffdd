/**
 * At which instruction boundaries an interrupt may be taken. Intel SDM vol. 3A §6.8.1 to §6.8.3 and
 * table 6-2, vol. 2 "STI", "MOV", "POP", "HLT", "IRET", "SYSEXIT".
 */
import { describe, expect, test } from 'vitest';
import { EFLAGS_IF, EFLAGS_TF, readEflags } from '../../src/cpu/eflags.js';
import type { CpuVendor } from '../../src/cpu/model.js';
import * as L from '../../src/cpu/state-layout.js';
import { KERNEL_DATA, USER_STACK } from './support/bare-core.js';
import { CODE, HANDLERS, IRQ_VECTOR, Program } from './support/program.js';

const NOP = 0x90;
const STI = 0xfb;
const CLI = 0xfa;
const HLT = 0xf4;
const IRET = 0xcf;
const POPF = 0x9d;
const UD2 = [0x0f, 0x0b];
const MOV_SS_AX = [0x8e, 0xd0];
const POP_SS = 0x17;
const LSS_ESP_MEM = [0x0f, 0xb2, 0x25, 0x00, 0x00, 0x01, 0x00]; // lss 0x10000, %esp
const MOV_SS_MEM = [0x8e, 0x15, 0x00, 0x00, 0x01, 0x00]; // mov 0x10000, %ss
const SYSEXIT = [0x0f, 0x35];

const IRQ = IRQ_VECTOR;
const DB = 1;
const NMI = 2;
const UD = 6;

/** EAX holds the stack selector, and memory at 10000h a far pointer to the present stack. */
function withStackSelector(
  code: readonly number[],
  flags = 0,
  vendor: CpuVendor = 'intel',
): Program {
  const program = new Program(code, flags, { vendor });
  const { state, physical } = program.cpu.core;
  state.setReg32(0, KERNEL_DATA);
  physical.write(0x10000, 4, state.esp);
  physical.write(0x10004, 2, KERNEL_DATA);
  return program;
}

function pushed(program: Program, values: readonly number[]): void {
  const { state, physical } = program.cpu.core;
  for (const value of values) {
    state.esp -= 4;
    physical.write(state.esp, 4, value);
  }
}

describe('the shadow of STI', () => {
  test('STI with IF clear holds an interrupt off until the next instruction has completed', () => {
    const program = new Program([STI, NOP, NOP]);
    program.raiseIrq();
    program.step(2);
    expect(program.story).toBe('');
    program.step(1);
    expect(program.story).toBe(`${IRQ}@2`);
  });

  test('STI with IF set holds nothing off', () => {
    const program = new Program([STI, NOP, NOP], EFLAGS_IF);
    program.step(1);
    program.raiseIrq();
    program.step(1);
    expect(program.story).toBe(`${IRQ}@1`);
  });

  test('of STI; STI only the first holds off', () => {
    const program = new Program([STI, STI, NOP]);
    program.raiseIrq();
    program.step(3);
    expect(program.story).toBe(`${IRQ}@2`);
  });

  test('STI; CLI lets no interrupt in', () => {
    const program = new Program([STI, CLI, NOP, NOP, NOP]);
    program.raiseIrq();
    program.step(5);
    expect(program.story).toBe('');
  });

  test('STI; NOP; CLI lets an interrupt in between NOP and CLI', () => {
    const program = new Program([STI, NOP, CLI, NOP]);
    program.raiseIrq();
    program.step(6);
    expect(program.story).toBe(`${IRQ}@2`);
  });

  test('a fault in the shadow is delivered and ends the shadow', () => {
    const program = new Program([STI, ...UD2]);
    program.gate(UD, 0x8f); // a trap gate leaves IF set
    program.raiseIrq();
    program.step(3);
    expect(program.deliveries.map((d) => [d.vector, d.eip])).toEqual([
      [UD, CODE + 1],
      [IRQ, HANDLERS + UD],
    ]);
  });

  test('it does not hold off the #DB of a single step', () => {
    const program = new Program([STI, NOP, NOP], EFLAGS_TF);
    program.step(2);
    expect(program.story).toBe(`${DB}@1`);
  });

  test('an NMI is taken in it, and leaves no shadow behind', () => {
    const program = new Program([STI, NOP, NOP]);
    program.step(1);
    program.cpu.raiseNmi();
    program.step(1);
    expect(program.story).toBe(`${NMI}@1`);
    expect(program.cpu.core.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });
});

describe('the shadow of MOV SS and POP SS', () => {
  const loads: readonly (readonly [string, readonly number[]])[] = [
    ['MOV SS', MOV_SS_AX],
    ['POP SS', [POP_SS]],
  ];
  for (const [name, load] of loads) {
    const start = (code: readonly number[], flags: number, vendor?: CpuVendor): Program => {
      const program = withStackSelector(code, flags, vendor);
      pushed(program, [KERNEL_DATA, KERNEL_DATA]);
      return program;
    };
    const end = load.length;

    test(`${name} holds an interrupt off for one instruction`, () => {
      const program = start([...load, NOP, NOP], EFLAGS_IF);
      program.step(1);
      program.raiseIrq();
      program.step(2);
      expect(program.story).toBe(`${IRQ}@${end + 1}`);
    });

    test(`${name} holds an NMI off for one instruction`, () => {
      const program = start([...load, NOP, NOP], 0);
      program.step(1);
      program.cpu.raiseNmi();
      program.step(2);
      expect(program.story).toBe(`${NMI}@${end + 1}`);
    });

    test(`${name} with TF set makes no #DB before the next instruction has completed`, () => {
      const program = start([...load, NOP, NOP], EFLAGS_TF);
      program.step(3);
      expect(program.story).toBe(`${DB}@${end + 1}`);
    });

    test(`${name} with TF set makes no #DB at all where the next instruction faults`, () => {
      const program = start([...load, ...UD2], EFLAGS_TF);
      program.step(3);
      expect(program.story).toBe(`${UD}@${end}`);
    });

    test(`a second ${name} in a row extends the shadow on a processor of AMD's`, () => {
      const program = start([...load, ...load, NOP, NOP], EFLAGS_IF, 'amd');
      program.step(1);
      program.raiseIrq();
      program.step(2);
      expect(program.story).toBe('');
      program.step(1);
      expect(program.story).toBe(`${IRQ}@${2 * end + 1}`);
    });

    test(`a second ${name} in a row does not extend the shadow`, () => {
      const program = start([...load, ...load, NOP, NOP], EFLAGS_IF);
      program.step(1);
      program.raiseIrq();
      program.step(2);
      expect(program.story).toBe(`${IRQ}@${2 * end}`);
    });
  }

  test('a data breakpoint on the operand of MOV SS is held off until after the next instruction', () => {
    const program = withStackSelector([...MOV_SS_MEM, NOP, NOP]);
    const { state, physical } = program.cpu.core;
    physical.write(0x10000, 2, KERNEL_DATA);
    state.set(L.DR0, 0x10000);
    state.set(L.DR7, 0x400 | 1 | (3 << 16) | (1 << 18)); // L0, read or write, 2 bytes
    program.step(3);
    expect(program.story).toBe(`${DB}@7`);
    expect(state.get(L.DR6) & 0xf).toBe(1);
  });

  test('LSS, which loads both halves at once, holds nothing off', () => {
    const program = withStackSelector([...LSS_ESP_MEM, NOP, NOP], EFLAGS_IF);
    program.step(1);
    program.raiseIrq();
    program.step(1);
    expect(program.story).toBe(`${IRQ}@${LSS_ESP_MEM.length}`);
  });

  test('a fault in the shadow is delivered and ends the shadow', () => {
    const program = withStackSelector([...MOV_SS_AX, ...UD2], EFLAGS_IF);
    program.gate(UD, 0x8f);
    program.step(1);
    program.raiseIrq();
    program.step(2);
    expect(program.deliveries.map((d) => [d.vector, d.eip])).toEqual([
      [UD, CODE + 2],
      [IRQ, HANDLERS + UD],
    ]);
  });
});

describe('instructions without a shadow', () => {
  test('POPF that sets IF lets a pending interrupt in at the very next boundary', () => {
    const program = new Program([POPF, NOP]);
    pushed(program, [0x202]);
    program.raiseIrq();
    program.step(2);
    expect(program.story).toBe(`${IRQ}@1`);
  });

  test('IRET that sets IF lets a pending interrupt in before the first instruction it returns to', () => {
    const program = new Program([IRET, NOP, NOP, NOP]);
    pushed(program, [0x202, 0x08, CODE + 3]);
    program.raiseIrq();
    program.step(2);
    expect(program.story).toBe(`${IRQ}@3`);
  });
});

describe('HLT', () => {
  test('STI; HLT: a pending interrupt wakes it at once, with EIP after HLT', () => {
    const program = new Program([STI, HLT, NOP]);
    program.raiseIrq();
    program.step(3);
    expect(program.story).toBe(`${IRQ}@2`);
    expect(program.deliveries[0].at).toBe(2);
  });

  test('with IF clear an interrupt does not wake it', () => {
    const program = new Program([HLT, NOP]);
    program.raiseIrq();
    expect(program.cpu.run(10)).toBe('halted');
    expect(program.cpu.instant).toBe(1);
  });

  test('with IF clear an NMI wakes it', () => {
    const program = new Program([HLT, NOP]);
    program.step(1);
    program.cpu.raiseNmi();
    program.step(1);
    expect(program.story).toBe(`${NMI}@1`);
  });

  test('an instruction between STI and HLT opens the lost-wakeup window', () => {
    const program = new Program([STI, NOP, HLT, NOP]);
    program.raiseIrq();
    expect(program.cpu.run(10)).toBe('halted');
    expect(program.story).toBe(`${IRQ}@2`);
  });
});

describe('STI; SYSEXIT', () => {
  function leaving(code: readonly number[]): Program {
    const program = new Program(code);
    const { state } = program.cpu.core;
    state.set(L.MSR_SYSENTER_CS, 0x08);
    state.setReg32(1, USER_STACK);
    state.setReg32(2, CODE + 0x100);
    program.raiseIrq();
    return program;
  }

  test('the interrupt is taken at the first user instruction', () => {
    // SYSENTER_CS + 16 is the user code segment, + 24 its stack: 18h and 20h, as laid out.
    const program = leaving([STI, ...SYSEXIT]);
    program.step(3);
    expect(program.deliveries).toMatchObject([{ vector: IRQ, cpl: 3, eip: CODE + 0x100 }]);
  });

  test('a NOP between the two lets it in on the kernel stack', () => {
    const program = leaving([STI, NOP, ...SYSEXIT]);
    program.step(3);
    expect(program.deliveries).toMatchObject([{ vector: IRQ, cpl: 0, eip: CODE + 2 }]);
  });
});

describe('NMI', () => {
  test('a second one waits for the IRET of the first', () => {
    const program = new Program([NOP, NOP]);
    program.cpu.raiseNmi();
    program.step(1);
    program.cpu.raiseNmi();
    program.step(1); // the handler's IRET
    expect(program.deliveries).toHaveLength(1);
    program.step(1);
    expect(program.story).toBe(`${NMI}@0 ${NMI}@0`);
  });

  test('IRET opens the way for the next one even where it faults itself', () => {
    const program = new Program([NOP]);
    program.cpu.raiseNmi();
    program.step(1);
    const { state, physical } = program.cpu.core;
    physical.write(state.esp + 4, 4, 0x1f8); // a selector beyond what the GDT describes
    program.step(1);
    expect(program.deliveries.at(-1)?.vector).toBe(13);
    program.cpu.raiseNmi();
    program.step(1);
    expect(program.deliveries.at(-1)).toMatchObject({ vector: NMI, eip: HANDLERS + 13 });
  });
});

describe('what a checkpoint keeps', () => {
  const cases: readonly (readonly [string, number, () => Program])[] = [
    ['the shadow of STI', L.SHADOW, () => new Program([STI, NOP])],
    ['the shadow of MOV SS', L.SHADOW, () => withStackSelector([...MOV_SS_AX, NOP])],
    ['HLT', L.HALTED, () => new Program([HLT])],
  ];
  for (const [name, word, make] of cases) {
    test(`${name} is state like any other`, () => {
      const program = make();
      const before = program.cpu.architecturalState();
      program.step(1);
      const saved = program.cpu.save();
      const value = program.cpu.core.state.get(word);
      expect(value).not.toBe(0);
      expect(program.cpu.architecturalState()).not.toEqual(before);
      program.cpu.reset();
      program.cpu.restore(saved);
      expect(program.cpu.core.state.get(word)).toBe(value);
      expect(program.cpu.instant).toBe(1);
    });
  }

  test('IF set by STI is seen by the very next PUSHF though interrupts are still held off', () => {
    const program = new Program([STI, 0x9c]);
    program.raiseIrq();
    program.step(2);
    expect(program.story).toBe('');
    const { state, physical } = program.cpu.core;
    expect(physical.read(state.esp, 4) & EFLAGS_IF).toBe(EFLAGS_IF);
    expect(readEflags(state) & EFLAGS_IF).toBe(EFLAGS_IF);
  });
});
