/**
 * `--engine lockstep` over generated programs: whole machines, one of which compiles what it enters a few
 * times, under a timer whose interrupts come at random instants.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EFLAGS_IF } from '../../src/cpu/eflags.js';
import { Machine } from '../../src/machine/machine.js';
import type { MachineOptions } from '../../src/machine/machine-options.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { Lockstep } from '../../src/replay/lockstep.js';
import { Timeline } from '../../src/replay/timeline.js';
import {
  KERNEL_CODE,
  KERNEL_DATA,
  layOut,
  putVector,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from '../cpu/support/bare-core.js';
import { hotInstruction } from '../cpu/support/hot-instructions.js';
import { CODE, DATA } from '../cpu/support/same-runs.js';

const RUNS = Number(process.env['HOLDOFF_FUZZ_RUNS'] ?? 15);
const START = 0x24000;
const IRQ_HANDLER = 0x25000;
const OTHER_HANDLER = 0x25100;
const IRQ0_VECTOR = 0x20;
/** Counts how often the program has begun. */
const STARTS = 0x35000;
/** Ticks of the timer between two interrupts: a few hundred instructions. */
const RELOAD = 4;
const STEPS = 30_000;
const STEPS_MOST = 10 * STEPS;

function dword(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

/** MOV AL, imm8; OUT imm8, AL */
function out(port: number, value: number): number[] {
  return [0xb0, value, 0xe6, port];
}

/** PUSH imm32 */
function push(value: number): number[] {
  return [0x68, ...dword(value)];
}

const END_OF_INTERRUPT = [0x50, ...out(0x20, 0x20), 0x58, 0xcf];
/** Begins the program again, whatever the frame is like. */
const RESTART = [0xe9, ...dword(START - OTHER_HANDLER - 5)];

/** Programs the 8259 and the 8254, and goes to the program with interrupts let in. */
function preamble(isUser: boolean, registers: readonly number[]): number[] {
  const [code, data] = isUser ? [USER_CODE, USER_DATA] : [KERNEL_CODE, KERNEL_DATA];
  return [
    ...[0xbc, ...dword(0x9000)],
    ...[0xb8, ...dword(data), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8],
    ...[0xff, 0x05, ...dword(STARTS)],
    ...out(0x20, 0x11),
    ...out(0x21, IRQ0_VECTOR),
    ...out(0x21, 4),
    ...out(0x21, 1),
    ...out(0x21, 0xfe),
    ...out(0x43, 0x34),
    ...out(0x40, RELOAD),
    ...out(0x40, 0),
    ...(isUser ? [...push(USER_DATA), ...push(USER_STACK)] : []),
    ...push(EFLAGS_IF),
    ...push(code),
    ...push(CODE),
    ...[0, 1, 2, 3, 5, 6, 7].flatMap((register, i) => [0xb8 | register, ...dword(registers[i])]),
    0xcf,
  ];
}

const pointer = fc.integer({ min: DATA, max: DATA + 0xfff });
const program = fc.record({
  isUser: fc.boolean(),
  seed: fc.nat(),
  registers: fc.array(fc.oneof(pointer, fc.integer()), { minLength: 7, maxLength: 7 }),
  body: fc.array(hotInstruction, { minLength: 1, maxLength: 12 }),
});
type Program = typeof program extends fc.Arbitrary<infer T> ? T : never;

function timeline(
  { isUser, seed, registers, body }: Program,
  options: Partial<MachineOptions>,
): Timeline {
  const machine = new Machine({ memoryBytes: 1 << 20, ...options });
  const { core } = machine.cpu;
  layOut(core);
  for (let vector = 0; vector < 256; vector++) {
    const handler = vector === IRQ0_VECTOR ? IRQ_HANDLER : OTHER_HANDLER;
    putVector(core, vector, KERNEL_CODE, handler, 0xee);
  }
  const bytes = body.flat();
  core.physical.load(START, Uint8Array.from(preamble(isUser, registers)));
  core.physical.load(IRQ_HANDLER, Uint8Array.from(END_OF_INTERRUPT));
  core.physical.load(OTHER_HANDLER, Uint8Array.from(RESTART));
  core.physical.load(CODE, Uint8Array.from([...bytes, 0xe9, ...dword(-bytes.length - 5)]));
  core.state.eip = START;
  return Timeline.live(machine, new RandomClock(seed), { maxInstructions: STEPS });
}

test('interpreter and compiler go through generated programs alike', () => {
  let interrupts = 0;
  let faults = 0;
  fc.assert(
    fc.property(program, (one) => {
      const interpreted = timeline(one, { engine: 'interpreter' });
      const compiled = timeline(one, { hotEntries: 3 });
      const lockstep = new Lockstep(interpreted, compiled);
      let result = lockstep.stride();
      // A repeated instruction may have four thousand million iterations.
      while (result === 'equal' && interpreted.instant < STEPS_MOST) result = lockstep.stride();
      expect(['equal', 'end']).toContain(result);
      const { physical } = interpreted.machine.cpu.core;
      faults += physical.read(STARTS, 4) - 1;
      interrupts += interpreted.events(0, interpreted.instant).length;
    }),
    { numRuns: RUNS },
  );
  expect(interrupts).toBeGreaterThan(RUNS);
  expect(faults).not.toBe(0);
});
