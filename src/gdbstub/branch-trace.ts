/**
 * The branches that a processor took before the present instant, made up afterwards by running the
 * stretch again. GDB manual, "Branch Trace Format".
 */
import { decode, MAX_INSTRUCTION_BYTES } from '../cpu/decoder/decode.js';
import { opcodeMapOf } from '../cpu/isa/instruction-set.js';
import { MODE, MODE_CODE32 } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Timeline } from '../replay/timeline.js';
import { linearPc } from './boundaries.js';
import { readLinear } from './guest-memory.js';
import type { BranchBlock } from './target.js';

/** Steps that are looked back: gdb waits two seconds for the answer, on however slow a machine. */
const STEPS = 5_000;

/** The stretches that ran before the present instruction, which ends the first of them. */
export function branchesBefore(timeline: Timeline): BranchBlock[] {
  const here = timeline.instant;
  const blocks: { begin: number; end: number }[] = [];
  try {
    timeline.seek(Math.max(timeline.begin, here - STEPS));
    const { machine } = timeline;
    // Where the instruction before ends, and how many had retired before it.
    let next = -1;
    let retired = -1;
    const lengths = new Map<number, number>();
    const visit = (): void => {
      const linear = linearPc(machine);
      const open = blocks.at(-1);
      if (linear === next && open !== undefined) open.end = linear;
      // An iteration of a REP retires nothing and stays where it is; it is no branch.
      else if (open?.end !== linear || machine.cpu.retired !== retired) {
        blocks.push({ begin: linear, end: linear });
      }
      const length = lengths.get(linear) ?? instructionLength(machine, linear);
      lengths.set(linear, length);
      next = (linear + length) >>> 0;
      retired = machine.cpu.retired;
    };
    visit();
    timeline.walk(here, visit);
    return blocks.reverse();
  } finally {
    timeline.seek(here);
  }
}

/** Bytes of the instruction at a linear address; 1 where there is none that could be read. */
function instructionLength({ cpu: { core } }: Machine, linear: number): number {
  const bytes = readLinear(core, linear, MAX_INSTRUCTION_BYTES);
  const is32 = (core.state.get(MODE) & MODE_CODE32) !== 0;
  try {
    const map = opcodeMapOf(core.model.level);
    const decoded = decode({ bytes, start: 0, end: bytes.length }, is32, map);
    return decoded?.instruction.length ?? 1;
  } catch {
    // More than 15 bytes: it faults.
    return 1;
  }
}
