import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cpu } from '../../src/cpu/cpu.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { enterUser, IDT, KERNEL_CODE, layOut } from './support/bare-core.js';

const CODE = 0x20000;
const RAM = 0x40000;
const HANDLERS = 0x30000;
const RUNS = Number(process.env['HOLDOFF_FUZZ_RUNS'] ?? 150);

const cpu = new Cpu(
  RAM,
  { read: () => -1, write: () => undefined },
  {
    readPort: () => 0xffffffff,
    writePort: () => undefined,
    acknowledgeInterrupt: () => 0x20,
    readTimestamp: () => 7,
  },
);

const program = fc.record({
  code: fc.uint8Array({ minLength: 32, maxLength: 256 }),
  registers: fc.array(fc.oneof(fc.integer(), fc.integer({ min: 0, max: RAM })), {
    minLength: 8,
    maxLength: 8,
  }),
  isUser: fc.boolean(),
  code32: fc.boolean(),
  stack32: fc.boolean(),
  paging: fc.boolean(),
  irqAt: fc.integer({ min: 0, max: 100 }),
});
type Random = typeof program extends fc.Arbitrary<infer T> ? T : never;

function prepare(random: Random): void {
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
  physical.ram.set(random.code, CODE);
  if (random.paging) {
    view.setUint32(0x10000, 0x87, true); // one 4 MiB page, user and writable
    state.set(L.CR3, 0x10000);
    state.set(L.CR4, 0x10);
    state.set(L.CR0, 0x80000011 | 0);
    core.mmu.flush();
  }
  if (random.isUser) enterUser(core);
  const dpl = random.isUser ? 0x60 : 0;
  if (!random.code32) setSegment(core, L.SEG_CS, 0x38, 0, 0xfffff, 0x9b | dpl);
  if (!random.stack32) setSegment(core, L.SEG_SS, 0x40, 0, 0xffff, 0x93 | dpl);
  random.registers.forEach((value, i) => state.setReg32(i, value));
  state.eip = CODE;
}

describe('random code in random modes', () => {
  test('never throws, hangs or loses count of its steps', () => {
    fc.assert(
      fc.property(program, (random) => {
        prepare(random);
        for (let steps = 0; steps < 200; steps++) {
          if (steps === random.irqAt) cpu.setInterruptLine(true);
          const before = cpu.instant;
          const exit = cpu.run(before + 1);
          if (exit !== 'until') {
            expect(['halted', 'shutdown']).toContain(exit);
            break;
          }
          const { state } = cpu.core;
          if (
            cpu.instant !== before + 1 ||
            cpu.retired > cpu.instant ||
            state.get(L.ZERO) !== 0 ||
            state.get(L.ESP_GUARD) !== 0 ||
            state.cpl > 3
          ) {
            expect.fail(`an invariant is broken at @${cpu.instant}`);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('comes out the same in one run as step by step', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 150 }), (random, steps) => {
        prepare(random);
        const exit = cpu.run(steps);
        const atOnce = [exit, cpu.instant, cpu.architecturalState(), cpu.core.physical.ram.slice()];
        prepare(random);
        let last = cpu.run(0);
        while (last === 'until' && cpu.instant < steps) last = cpu.run(cpu.instant + 1);
        const stepped = [last, cpu.instant, cpu.architecturalState(), cpu.core.physical.ram];
        expect(stepped.slice(0, 3)).toEqual(atOnce.slice(0, 3));
        expect(Buffer.compare(stepped[3] as Uint8Array, atOnce[3] as Uint8Array)).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});
