/** Compiling takes as long as interpreting for a while does, so it must not be done again and again. */
import { expect, test, vi } from 'vitest';
import type { CpuOptions } from '../../src/cpu/cpu.js';
import { EDX } from '../../src/cpu/state-layout.js';
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

/** The bytes of the modules that are made while code runs. */
function bytesCompiled(code: readonly number[], edx: number): number {
  const program = new Program(code, 0, { hotEntries: 2 });
  program.cpu.core.state.set(EDX, edx);
  const modules = vi.spyOn(WebAssembly, 'Module');
  program.step(1000);
  const sizes = modules.mock.calls.map(([bytes]) => (bytes as Uint8Array).length);
  modules.mockRestore();
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('what a loop never jumped to is not compiled with it', () => {
  // biome-ignore format: table
  const loop = [
    0x41,       // INC ECX
    0x85, 0xd2, // TEST EDX, EDX
    0x75, 0x02, // JNZ, over JMP
    0xeb, 0xf9, // JMP INC
  ];
  const beyond = Array.from({ length: 25 }, () => [0x01, 0xc8, 0x31, 0xc3]).flat(); // ADD, XOR
  const whole = [...loop, ...beyond, 0xeb, 0x100 - (loop.length + beyond.length + 2)]; // JMP INC
  expect(bytesCompiled(whole, 0)).toBe(bytesCompiled(loop, 0));
  expect(bytesCompiled(whole, 1)).toBeGreaterThan(bytesCompiled(loop, 0));
});

test('a loop that writes beside itself each time round is compiled a few times, not each time', () => {
  const compiled = modulesMade({ hotEntries: 2 }) - modulesMade({ engine: 'interpreter' });
  expect(compiled).toBeGreaterThan(0);
  expect(compiled).toBeLessThan(2 * Math.log2(ROUNDS));
});
