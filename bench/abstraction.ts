/**
 * What the abstract machine costs: one loop of five instructions (load, add, store, dec, jnz; two
 * memory accesses with their TLB checks) executed in turn by an interpreter of hand-written closures,
 * by the semantics over numbers, and by the two engines that are made of the same semantics: emitted
 * handlers (`--engine interpreter`) and compiled regions (`--engine auto`). Prints millions of
 * instructions a second, medians of five rounds that interleave all four, and each against the closures.
 *
 * Run with `npm run bench:abstraction`.
 */

import type { Cpu } from '../src/cpu/cpu.js';
import { decode } from '../src/cpu/decoder/decode.js';
import { I386 } from '../src/cpu/isa/instruction-set.js';
import { CODE, DATA, makeCpu, restart } from '../test/cpu/lockstep/machines.js';
import { NumberOps } from '../test/cpu/lockstep/number-ops.js';
import { closureInterpreter } from './closure-interpreter.js';

const ROUNDS = 5;
const LOOP_INSTRUCTIONS = 5;

// mov DATA,%eax; add %ecx,%eax; mov %eax,DATA; dec %ecx; jnz
const BODY = [0xa1, 0, 0, 3, 0, 0x01, 0xc8, 0xa3, 0, 0, 3, 0, 0x49, 0x75, 0xf1];

function start(iterations: number, cpu = interpreting): Cpu {
  restart(cpu);
  cpu.core.physical.load(CODE, Uint8Array.from(BODY));
  cpu.core.physical.load(CODE + BODY.length, Uint8Array.from([0xf4]));
  cpu.core.state.setReg32(1, iterations);
  return cpu;
}

const interpreting = makeCpu({ engine: 'interpreter' });
const compiling = makeCpu({ engine: 'auto' });

/** Runs the loop and returns the sum that it leaves in memory. */
type Contender = (iterations: number) => number;

function result(cpu = interpreting): number {
  return cpu.core.physical.read(DATA, 4);
}

const contenders: Record<string, Contender> = {
  'hand-written closures': (iterations) => {
    const { core } = start(iterations);
    core.mmu.read(DATA, 4, false);
    core.mmu.write(DATA, 4, 0, false);
    core.mmu.write(DATA, 4, 0, false);
    closureInterpreter(core.state, DATA)();
    return result();
  },
  'semantics over numbers': (iterations) => {
    const { core } = start(iterations);
    const ops = new NumberOps(core);
    const decoded = decodeAll();
    const { state } = core;
    while (state.reg32(1) !== 0) {
      for (const instruction of decoded) ops.execute(instruction);
    }
    return result();
  },
  'emitted handlers': (iterations) => {
    start(iterations).run(Number.MAX_SAFE_INTEGER);
    return result();
  },
  'compiled regions': (iterations) => {
    start(iterations, compiling).run(Number.MAX_SAFE_INTEGER);
    return result(compiling);
  },
};

function decodeAll() {
  const decoded = [];
  const bytes = interpreting.core.physical.ram;
  for (let at = CODE; at < CODE + BODY.length; ) {
    const one = decode({ bytes, start: at, end: at + 16 }, true, I386);
    if (one === null) throw new Error('the loop does not decode');
    decoded.push(one);
    at += one.instruction.length;
  }
  return decoded;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

const iterations = 3_000_000;
const expected = ((iterations * (iterations + 1)) / 2) | 0;
const speeds = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const began = performance.now();
    const sum = run(iterations);
    const seconds = (performance.now() - began) / 1000;
    if (sum !== expected) {
      throw new Error(`${name}: the sum is ${sum}, not ${expected}`);
    }
    // The first round warms up.
    if (round > 0) {
      const speed = (iterations * LOOP_INSTRUCTIONS) / seconds / 1e6;
      speeds.set(name, [...(speeds.get(name) ?? []), speed]);
    }
  }
}
const yardstick = median(speeds.get('hand-written closures') ?? []);
for (const [name, all] of speeds) {
  const speed = median(all);
  const ratio = (speed / yardstick).toFixed(2);
  console.log(`${name.padEnd(24)} ${speed.toFixed(0).padStart(6)} M/s  ${ratio} x closures`);
}
