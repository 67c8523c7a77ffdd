/** Programs that run compiled, interpreted and step by step, and what each of the three tells. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Cpu, type CpuOptions, type RunExit } from '../../../src/cpu/cpu.js';
import { EFLAGS_IF, writeEflags } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import { enterUser, FREE, IDT, KERNEL_CODE, layOut, putSegment, USER_DATA } from './bare-core.js';

export const CODE = 0x20000;
export const DATA = 0x30000;
/** Linear pages that, where paging is on, have each other's place in RAM. */
export const SWAPPED: readonly number[] = [DATA + 0x2000, DATA + 0x3000];
const HANDLERS = 0x38000;
const RAM = 0x40000;

function makeCpu(options: CpuOptions): Cpu {
  const cpu: Cpu = new Cpu(
    RAM,
    { read: () => -1, write: () => undefined },
    {
      readPort: () => 0xff,
      writePort: () => cpu.setInterruptLine(true),
      acknowledgeInterrupt: () => {
        cpu.setInterruptLine(false);
        return 0x20;
      },
      readTimestamp: () => cpu.retired,
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

/** How a program starts, what comes meanwhile, and what a debugger stops at: places behind its start. */
export const circumstances = fc.record({
  registers: fc.array(fc.oneof(pointer, fc.integer(), fc.constant(CODE + 0x10)), {
    minLength: 8,
    maxLength: 8,
  }),
  isUser: fc.boolean(),
  paging: fc.boolean(),
  interrupts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
  cuts: fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 }),
  breakpoints: fc.array(fc.tuple(fc.constantFrom(0, 0x1000), fc.nat(0x80)), { maxLength: 3 }),
  watchesData: fc.boolean(),
});
type Circumstances = typeof circumstances extends fc.Arbitrary<infer T> ? T : never;

/** Data segments of CPL 3: flat, one that ends inside the data page, one that begins there, a shifted one. */
export const DATA_SELECTORS: readonly number[] = [
  USER_DATA,
  FREE | 3,
  (FREE + 8) | 3,
  (FREE + 16) | 3,
];

/** Bytes, and where in memory they lie. The first piece is where a program begins. */
export interface Piece {
  readonly at: number;
  readonly bytes: readonly number[];
}

function prepare(cpu: Cpu, pieces: readonly Piece[], program: Circumstances): void {
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
  putSegment(core, FREE, 0, DATA + 0x7ff, 0x40f3);
  putSegment(core, FREE + 8, 0, DATA + 0x7ff, 0x40f7);
  putSegment(core, FREE + 16, 0x40, 0xfffff, 0xc0f3);
  for (const { at, bytes } of pieces) physical.ram.set(bytes, at);
  if (program.paging) {
    view.setUint32(0x10000, 0x11007, true);
    for (let page = 0; page < RAM; page += 0x1000) {
      // The page behind the data is not there: accesses that run over its end fault.
      const frame = SWAPPED.includes(page) ? SWAPPED[0] + SWAPPED[1] - page : page;
      view.setUint32(0x11000 + (page >> 10), page === DATA + 0x1000 ? 0 : frame | 7, true);
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
  state.eip = pieces[0].at;
}

/** Has the processor stop at what a debugger looks for. */
function observe(cpu: Cpu, at: number, { breakpoints, watchesData }: Circumstances): void {
  cpu.breakpoints = new Set(breakpoints.map(([page, offset]) => at + page + offset));
  const pages = new Set([DATA >>> 12]);
  cpu.accessWatch = watchesData ? { pages, hit: () => cpu.requestStop() } : null;
}

/** Runs in the parts that the cuts make, interrupts at theirs; or step by step. */
function run(
  cpu: Cpu,
  pieces: readonly Piece[],
  program: Circumstances,
  isStepped = false,
): string {
  prepare(cpu, pieces, program);
  const story: string[] = [];
  cpu.onDelivery = (vector, _kind, eip) => story.push(`${vector}@${eip}:${cpu.instant}`);
  observe(cpu, pieces[0].at, program);
  const parts = [...program.cuts, ...program.interrupts, 400];
  parts.forEach((steps, i) => {
    if (i >= program.cuts.length) cpu.setInterruptLine(true);
    const until = cpu.instant + steps;
    let exit: RunExit = 'until';
    while (cpu.instant < until) {
      exit = cpu.run(isStepped ? cpu.instant + 1 : until, exit === 'breakpoint');
      if (exit === 'breakpoint' || exit === 'stopped') story.push(`${exit}@${cpu.instant}`);
      else if (exit !== 'until') break;
    }
    story.push(exit);
  });
  cpu.onDelivery = null;
  return `${story.join(' ')} ends @${cpu.instant}, retired ${cpu.retired}`;
}

/** Fails unless a program ends in the same state, and tells the same, however it is run. */
export function expectSameRuns(pieces: readonly Piece[], program: Circumstances): void {
  const story = run(interpreted, pieces, program, true);
  for (const cpu of [compiled, atOnce]) {
    expect(run(cpu, pieces, program)).toBe(story);
    expect(cpu.architecturalState()).toEqual(interpreted.architecturalState());
    const [a, b] = [cpu.core.physical.ram, interpreted.core.physical.ram];
    expect(Buffer.compare(a, b)).toBe(0);
  }
}
