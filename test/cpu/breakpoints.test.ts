/** Breakpoints of a debugger outside the guest: `run` stops before the instruction, at exact instants. */
import { describe, expect, test, vi } from 'vitest';
import { ECX, EDI } from '../../src/cpu/state-layout.js';
import { CODE, Program } from './support/program.js';

// biome-ignore format: table
const LOOP = [
  0x01, 0xc8,       // ADD EAX, ECX
  0x31, 0xc3,       // XOR EBX, EAX
  0x41,             // INC ECX
  0xeb, 0xf9,       // JMP ADD
];
const HEAD = CODE;
const XOR = CODE + 2;
const REP_STOSB = [0xf3, 0xaa, 0x90];

/** Instants at which the program stops at a breakpoint before an instant. */
function stops({ cpu }: Program, breakpoints: readonly number[], until: number): number[] {
  const instants: number[] = [];
  cpu.breakpoints = new Set(breakpoints);
  for (let exit = cpu.run(until); exit === 'breakpoint'; exit = cpu.run(until, true)) {
    instants.push(cpu.instant);
  }
  return instants;
}

/** WebAssembly modules that are made meanwhile. */
function modulesMade(work: () => void): number {
  const modules = vi.spyOn(WebAssembly, 'Module');
  work();
  const made = modules.mock.calls.length;
  modules.mockRestore();
  return made;
}

describe('a breakpoint', () => {
  test.each([HEAD, XOR])('in a loop that is compiled stops each time round (%#)', (address) => {
    const first = address === HEAD ? 0 : 1;
    const expected = Array.from({ length: 100 }, (_, round) => first + 4 * round);
    const options = [{ engine: 'interpreter' }, { engine: 'auto', hotEntries: 2 }] as const;
    for (const each of options) {
      expect(stops(new Program(LOOP, 0, each), [address], 400)).toEqual(expected);
    }
  });

  test('in compiled code has no effect on the same place of another page', () => {
    const program = new Program(LOOP, 0, { engine: 'auto', hotEntries: 2 });
    expect(stops(program, [XOR + 0x1000], 400)).toEqual([]);
  });

  test('that comes and goes, as a debugger does it, leaves compiled code as it is', () => {
    const program = new Program(LOOP, 0, { engine: 'auto', hotEntries: 2 });
    stops(program, [XOR], 100);
    stops(program, [], 200);
    const made = modulesMade(() => {
      for (let from = 200; from < 1000; from += 80) {
        expect(stops(program, [XOR], from + 40)).toHaveLength(10);
        expect(stops(program, [], from + 80)).toEqual([]);
      }
    });
    expect(made).toBe(0);
  });

  test('on a repeated instruction stops before each iteration, however far a run may go', () => {
    const program = new Program(REP_STOSB);
    program.cpu.core.state.set(ECX, 6);
    program.cpu.core.state.set(EDI, 0x40000);
    expect(stops(program, [CODE], 7)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
