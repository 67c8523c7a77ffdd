/** Accesses that are looked up together: what becomes of a loop whose pages tell them apart. */
import { expect, test, vi } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { enablePaging, PAGE_TABLE, poke32 } from './support/bare-core.js';
import { Program } from './support/program.js';

const BOUNDARY = 0x41000;
const SECOND_FRAME = 0x50000;
/** Of one round of the loop. */
const STEPS = 5;
const ROUNDS = 5000;
// biome-ignore format: table
const LOOP = [
  0x8b, 0x45, 0xf8,             // MOV EAX, [EBP-8]
  0x03, 0x45, 0x08,             // ADD EAX, [EBP+8]
  0x89, 0x45, 0xf8,             // MOV [EBP-8], EAX
  0xff, 0x45, 0x10,             // INC dword [EBP+16]
  0xeb, 0xf2,                   // JMP MOV
];

/** Runs the loop, its frame across a page boundary. @returns regions that were compiled. */
function regionsMade(frame: number): number {
  const program = new Program(LOOP, 0, { hotEntries: 2 });
  const { core } = program.cpu;
  enablePaging(core, 7);
  poke32(core, PAGE_TABLE + (BOUNDARY >>> 12) * 4, frame | 0x67);
  core.mmu.flush();
  core.state.setReg32(L.EBP >> 2, BOUNDARY);
  poke32(core, frame + 8, 3);
  program.step(STEPS);
  const modules = vi.spyOn(WebAssembly, 'Module');
  program.step(STEPS * (ROUNDS - 1));
  const made = modules.mock.calls.length;
  modules.mockRestore();
  expect(core.physical.read(BOUNDARY - 8, 4)).toBe(3 * ROUNDS);
  expect(core.physical.read(frame + 16, 4)).toBe(ROUNDS);
  return made;
}

test('a frame in two pages that are neighbours in RAM is looked up as one', () => {
  expect(regionsMade(BOUNDARY)).toBe(1);
});

test('a frame in two pages that are none is looked up as one, until the loop is compiled anew', () => {
  const made = regionsMade(SECOND_FRAME);
  expect(made).toBeGreaterThan(1);
  expect(made).toBeLessThan(8);
});

test('an access across the end of the 4 GiB faults though its pages are neighbours in RAM', () => {
  // MOV EAX, [EBP-8]; MOV ECX, [EBP-2]; INC EDX; JMP to the first
  const program = new Program([0x8b, 0x45, 0xf8, 0x8b, 0x4d, 0xfe, 0x42, 0xeb, 0xf7], 0, {
    hotEntries: 2,
  });
  const { core } = program.cpu;
  enablePaging(core, 7);
  poke32(core, 0x10000 + 1023 * 4, PAGE_TABLE | 0x27);
  poke32(core, PAGE_TABLE + 1023 * 4, BOUNDARY | 0x67);
  poke32(core, PAGE_TABLE, (BOUNDARY + 0x1000) | 0x67);
  core.mmu.flush();
  core.state.setReg32(L.EBP >> 2, BOUNDARY + 0x800);
  program.step(400);
  // Both pages come into the TLB.
  core.mmu.read(-8, 4, false);
  core.mmu.read(8, 4, false);
  core.state.setReg32(L.EBP >> 2, 0);
  program.step(8);
  const STACK_FAULT = 12;
  expect(program.deliveries.at(0)).toMatchObject({ vector: STACK_FAULT, at: 401 });
});
