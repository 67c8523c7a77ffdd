/** Errors with CR0.NE clear: FERR#, IGNNE#, and a processor that waits for its interrupt. */
import { describe, expect, test } from 'vitest';
import { CR0_NE } from '../../../src/cpu/control-registers.js';
import type { Cpu } from '../../../src/cpu/cpu.js';
import { EFLAGS_IF } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import { Machine } from '../../../src/machine/machine.js';
import { layOut } from '../support/bare-core.js';
import { CODE, IRQ_VECTOR, Program } from '../support/program.js';
import { DATA } from '../system/processor.js';
import { FpuProcessor, memory } from './fpu-processor.js';

// FNINIT; push 340h; FLDCW [ESP]; FLD1; FLDZ; FDIVP: 1 / 0 with every exception unmasked.
// biome-ignore format: instructions
const ERROR = [0xdb, 0xe3, 0x68, 0x40, 0x03, 0, 0, 0xd9, 0x2c, 0x24, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9];
const ERROR_STEPS = 6;
const FLD1 = [0xd9, 0xe8];
const HLT = [0xf4];

function clearNe(cpu: Cpu): void {
  const { state } = cpu.core;
  state.set(L.CR0, state.cr0 & ~CR0_NE);
}

describe('with CR0.NE clear an error', () => {
  test('holds the processor up before the next x87 instruction, until an interrupt', () => {
    const program = new Program([...ERROR, 0x90, ...FLD1, ...HLT], EFLAGS_IF);
    clearNe(program.cpu);
    expect(program.cpu.run(100)).toBe('halted');
    expect(program.cpu.core.state.eip).toBe(CODE + ERROR.length + 1);
    expect(program.story).toBe('');
    // The NOP has retired, the instruction behind it has not.
    expect(program.cpu.retired).toBe(ERROR_STEPS + 1);
    program.raiseIrq();
    // The handler is an IRET that leaves the error as it is.
    expect(program.cpu.run(100)).toBe('halted');
    expect(program.story).toBe(`${IRQ_VECTOR}@${ERROR.length + 1}`);
    expect(program.cpu.core.state.eip).toBe(CODE + ERROR.length + 1);
  });

  test('lets instructions that do not wait pass', () => {
    // FNSTSW AX; FNCLEX; FLD1; HLT
    const program = new Program([...ERROR, 0xdf, 0xe0, 0xdb, 0xe2, ...FLD1, ...HLT]);
    clearNe(program.cpu);
    expect(program.cpu.run(100)).toBe('halted');
    expect(program.cpu.core.state.eip).toBe(CODE + ERROR.length + 7);
    expect(program.cpu.core.state.reg16(0) & 0x8080).toBe(0x8080);
  });

  test('is #MF once NE is set', () => {
    const program = new Program([...ERROR, ...FLD1]);
    program.cpu.core.state.set(L.CR0, program.cpu.core.state.cr0 | CR0_NE);
    program.step(ERROR_STEPS + 1);
    expect(program.story).toBe(`16@${ERROR.length}`);
  });
});

/** A whole PC that runs code with the 8259s at vectors 20h and 28h and only IRQ 13 let through. */
function machineWith(code: readonly number[], handler: readonly number[]): Machine {
  const machine = new Machine({ memoryBytes: 1 << 20 });
  const { core } = machine.cpu;
  layOut(core);
  clearNe(machine.cpu);
  const setup: number[] = [];
  const out = (port: number, value: number): void => void setup.push(0xb0, value, 0xe6, port);
  for (const [port, vector, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(port, 0x11);
    out(port + 1, vector);
    out(port + 1, cascade);
    out(port + 1, 1);
  }
  out(0x21, 0xfb);
  out(0xa1, 0xdf);
  const { ram } = core.physical;
  ram.set([...setup, 0xfb, ...code], CODE);
  ram.set(handler, HANDLER);
  const view = new DataView(ram.buffer, L.RAM_BASE);
  view.setUint32(0x2000 + 0x2d * 8, (0x08 << 16) | (HANDLER & 0xffff), true);
  view.setUint32(0x2000 + 0x2d * 8 + 4, (HANDLER & 0xffff0000) | 0x8e00, true);
  core.state.eip = CODE;
  return machine;
}

const HANDLER = 0x40000;
// OUT F0h, AL; end of interrupt at both 8259s.
const ACKNOWLEDGE = [0xe6, 0xf0, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20];

test('FLDENV of other masks and flags together moves FERR# no more than they say', () => {
  const levels: boolean[] = [];
  const p = new FpuProcessor();
  p.state.set(L.CR0, p.state.cr0 & ~CR0_NE);
  Object.assign(p.bus, { setNumericError: (level: boolean) => void levels.push(level) });
  // An environment with all unmasked and nothing flagged, loaded where ZE is flagged and masked.
  p.run(memory(0xd9, 6));
  p.poke(DATA, 2, 0x340);
  p.perform([0xd9, 0xe8]);
  p.perform([0xd9, 0xee]);
  p.perform([0xde, 0xf9]);
  expect(p.status & 0x8084).toBe(0x0004);
  p.run(memory(0xd9, 4));
  expect(p.status & 0x80ff).toBe(0);
  expect(levels).not.toContain(true);
});

describe('in a PC it is IRQ 13', () => {
  test('whose handler may use the x87 once it has written to port F0h, and clears the error', () => {
    // FLDL2E and FNCLEX in the handler, FLDPI after it.
    const handler = [...ACKNOWLEDGE, 0xd9, 0xd0, 0xdb, 0xe2, 0x41, 0xcf];
    const machine = machineWith([...ERROR, 0x90, 0xd9, 0xeb, ...HLT], handler);
    machine.cpu.core.state.setReg32(1, 0);
    machine.run(1000);
    const { state } = machine.cpu.core;
    expect(state.reg32(1)).toBe(1);
    expect(state.get(L.FPU_STATUS) & 0x80ff).toBe(0);
    expect(machine.coprocessorError.isErrorIgnored).toBe(false);
    expect(machine.coprocessorError.save()).toEqual([0, 0, 0]);
  });

  test('that is requested once for one error', () => {
    // Without FNCLEX the error waits on, but its request was taken back.
    const handler = [...ACKNOWLEDGE, 0x41, 0xcf];
    const machine = machineWith([...ERROR, 0xd9, 0xeb, 0xd9, 0xeb, ...HLT], handler);
    machine.cpu.core.state.setReg32(1, 0);
    machine.run(1000);
    expect(machine.cpu.core.state.reg32(1)).toBe(1);
    expect(machine.coprocessorError.save()).toEqual([1, 0, 1]);
    const copy = new Machine({ memoryBytes: 1 << 20 });
    copy.coprocessorError.restore(machine.coprocessorError.save());
    expect(copy.coprocessorError.isErrorIgnored).toBe(true);
  });
});
