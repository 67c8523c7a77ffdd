/** Compiling takes as long as interpreting for a while does, so it must not be done again and again. */
import { expect, test, vi } from 'vitest';
import type { CpuOptions } from '../../src/cpu/cpu.js';
import { CODE, Program } from './support/program.js';

const STEPS_PER_ROUND = 12;
const ROUNDS = 1000;
// biome-ignore format: table
const LOOP = [
  0xb9, 3, 0, 0, 0,                         // MOV ECX, 3
  0x01, 0xc8,                               // ADD EAX, ECX
  0x31, 0xc3,                               // XOR EBX, EAX
  0xe2, 0xfa,                               // LOOP ADD
  0xff, 0x05, 20, CODE >> 8, CODE >> 16, 0, // INC dword [CODE + 20]
  0xeb, 0xed,                               // JMP MOV
];

/** WebAssembly modules that are made while the loop runs. */
function modulesMade(options: CpuOptions): number {
  const program = new Program(LOOP, 0, options);
  const modules = vi.spyOn(WebAssembly, 'Module');
  program.step(STEPS_PER_ROUND * ROUNDS);
  const made = modules.mock.calls.length;
  modules.mockRestore();
  expect(program.cpu.core.physical.read(CODE + 20, 1)).toBe((0xcc + ROUNDS) & 0xff);
  return made;
}

test('a loop that writes beside itself each time round is compiled a few times, not each time', () => {
  const compiled = modulesMade({ hotEntries: 2 }) - modulesMade({ engine: 'interpreter' });
  expect(compiled).toBeGreaterThan(0);
  expect(compiled).toBeLessThan(2 * Math.log2(ROUNDS));
});
