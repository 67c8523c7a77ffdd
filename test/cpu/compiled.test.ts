/**
 * Compiled code is the interpreter, only faster: the same program gives the same state at the same
 * instant, whatever interrupts, faults, page ends and self-modification do to it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cpu, type CpuOptions } from '../../src/cpu/cpu.js';
import { EFLAGS_IF, writeEflags } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import { enterUser, IDT, KERNEL_CODE, layOut } from './support/bare-core.js';
import { hotInstruction } from './support/hot-instructions.js';

const CODE = 0x20000;
const DATA = 0x30000;
const HANDLERS = 0x38000;
const RAM = 0x40000;
const RUNS = Number(process.env['HOLDOFF_FUZZ_RUNS'] ?? 150);

function makeCpu(options: CpuOptions): Cpu {
  const cpu: Cpu = new Cpu(
    RAM,
    { read: () => -1, write: () => undefined },
    {
      readPort: () => 0xff,
      writePort: () => undefined,
      acknowledgeInterrupt: () => {
        cpu.setInterruptLine(false);
        return 0x20;
      },
      readTimestamp: () => 0,
    },
    options,
  );
  return cpu;
}

const compiled = makeCpu({ engine: 'auto', hotEntries: 3 });
const interpreted = makeCpu({ engine: 'interpreter' });
/** Interprets too, but as many steps at once as it may: REP goes by pages. */
const atOnce = makeCpu({ engine: 'interpreter' });

const pointer = fc.integer({ min: DATA, max: DATA + 0xfff });
const loop = fc.record({
  body: fc.array(hotInstruction, { minLength: 1, maxLength: 12 }),
  /** Where in its page the loop begins: near the end it runs into the next. */
  at: fc.constantFrom(CODE, CODE + 0x123, CODE + 0xfe0, CODE + 0xff5),
  registers: fc.array(fc.oneof(pointer, fc.integer(), fc.constant(CODE + 0x10)), {
    minLength: 8,
    maxLength: 8,
  }),
  isUser: fc.boolean(),
  paging: fc.boolean(),
  interrupts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
  cuts: fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 }),
});
type Loop = typeof loop extends fc.Arbitrary<infer T> ? T : never;

/** Lays the loop out: the body, then a jump back to its start. */
function prepare(cpu: Cpu, program: Loop): void {
  const { core } = cpu;
  const { state, physical } = core;
  physical.ram.fill(0);
  cpu.reset();
  layOut(core);
  const view = new DataView(physical.ram.buffer, L.RAM_BASE);
  for (let vector = 0; vector < 256; vector++) {
    view.setUint32(IDT + vector * 8, (KERNEL_CODE << 16) | ((HANDLERS + vector) & 0xffff), true);
    view.setUint32(IDT + vector * 8 + 4, ((HANDLERS + vector) & 0xffff0000) | 0xee00, true);
  }
  physical.ram.fill(0xcf, HANDLERS, HANDLERS + 0x100);
  const body = program.body.flat();
  const code = [...body, 0xe9, 0, 0, 0, 0];
  physical.ram.set(code, program.at);
  view.setInt32(program.at + body.length + 1, -code.length, true);
  if (program.paging) {
    view.setUint32(0x10000, 0x11007, true);
    for (let page = 0; page < RAM; page += 0x1000) {
      // The page behind the data is not there: accesses that run over its end fault.
      view.setUint32(0x11000 + (page >> 10), page === DATA + 0x1000 ? 0 : page | 7, true);
    }
    state.set(L.CR3, 0x10000);
    state.set(L.CR0, 0x80010011 | 0);
    core.mmu.flush();
  }
  if (program.isUser) enterUser(core);
  program.registers.forEach((value, i) => {
    if (i !== 4) state.setReg32(i, value);
  });
  writeEflags(state, EFLAGS_IF, EFLAGS_IF);
  state.eip = program.at;
}

/** Runs in the pieces that the program's cuts make, interrupts at theirs; or step by step. */
function run(cpu: Cpu, program: Loop, isStepped = false): string {
  prepare(cpu, program);
  const story: string[] = [];
  cpu.onDelivery = (vector, _kind, eip) => story.push(`${vector}@${eip}:${cpu.instant}`);
  const pieces = [...program.cuts, ...program.interrupts, 400];
  pieces.forEach((steps, i) => {
    if (i >= program.cuts.length) cpu.setInterruptLine(true);
    const until = cpu.instant + steps;
    let exit = isStepped ? cpu.run(cpu.instant + 1) : cpu.run(until);
    while (exit === 'until' && cpu.instant < until) exit = cpu.run(cpu.instant + 1);
    story.push(exit);
  });
  cpu.onDelivery = null;
  return `${story.join(' ')} ends @${cpu.instant}, retired ${cpu.retired}`;
}

describe('compiled code', () => {
  test('is in every state where the interpreter is, with interrupts and faults where it has them', () => {
    fc.assert(
      fc.property(loop, (program) => {
        const story = run(interpreted, program, true);
        for (const cpu of [compiled, atOnce]) {
          expect(run(cpu, program)).toBe(story);
          expect(cpu.architecturalState()).toEqual(interpreted.architecturalState());
          const [a, b] = [cpu.core.physical.ram, interpreted.core.physical.ram];
          expect(Buffer.compare(a, b)).toBe(0);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
