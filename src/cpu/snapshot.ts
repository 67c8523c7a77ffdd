/** The processor's small state as bytes: for checkpoints as it is, for digests in its one true form. */
import type { Core } from './core.js';
import { readEflags } from './eflags.js';
import { deriveSegment, setCpl } from './segmentation.js';
import type { SegmentIndex } from './state.js';
import * as L from './state-layout.js';
import { updateAlignmentCheck } from './system/alignment.js';

/** Words that say nothing about the guest: engine's counters, and what derives from other words. */
const NOT_ARCHITECTURAL = [
  L.FLAG_RESULT,
  L.FLAG_AUX,
  L.BUDGET,
  L.SAVED_ESP,
  L.ESP_GUARD,
  L.MODE,
  L.TLB_BASE,
];

const INSTANT_BYTES = 8;

/** The state's bytes with EFLAGS worked out and everything else that may differ between equals zeroed. */
export function architecturalBytes(core: Core): Uint8Array {
  const bytes = core.state.u8.slice(0, L.ARCHITECTURAL_END);
  const words = new Int32Array(bytes.buffer);
  for (const offset of NOT_ARCHITECTURAL) words[offset >> 2] = 0;
  words[L.FLAG_SYSTEM >> 2] = readEflags(core.state);
  return bytes;
}

/** The state's bytes as they are, and the instant behind them as a float64. */
export function saveState(core: Core): Uint8Array {
  const saved = new Uint8Array(L.ARCHITECTURAL_END + INSTANT_BYTES);
  saved.set(core.state.u8.subarray(0, L.ARCHITECTURAL_END));
  new DataView(saved.buffer).setFloat64(L.ARCHITECTURAL_END, core.instant, true);
  return saved;
}

/**
 * Puts back what `saveState` gave. Cached translations are dropped; decoded code stays, since whoever
 * changes RAM tells it by way of PhysicalMemory.
 * @throws RangeError for bytes of another length.
 */
export function restoreState(core: Core, saved: Uint8Array): void {
  if (saved.length !== L.ARCHITECTURAL_END + INSTANT_BYTES) {
    throw new RangeError(`a saved state of ${saved.length} bytes is none of this processor`);
  }
  const { state } = core;
  state.u8.set(saved.subarray(0, L.ARCHITECTURAL_END));
  state.set(L.BUDGET, 0);
  const view = new DataView(saved.buffer, saved.byteOffset);
  core.budgetEnd = view.getFloat64(L.ARCHITECTURAL_END, true);
  core.isExecuting = false;
  core.mmu.flush();
  core.onCodeMapChange();
  updateAlignmentCheck(core);
}

/**
 * Checks a state that comes from outside, such as from a file. It is tried out on the processor, whose own state
 * is lost: `restoreState` puts one back.
 * @throws RangeError where it is none that `saveState` can have given, such as one whose derived words
 *   do not follow from the others, on which compiled code relies.
 */
export function checkForeignState(core: Core, saved: Uint8Array): void {
  restoreState(core, saved);
  const { state } = core;
  const isInRange = RANGES.every(([offset, most]) => state.get(offset) >>> 0 <= most);
  const unretired = state.f64[L.UNRETIRED >> 3];
  const isCounted =
    Number.isSafeInteger(core.instant) && Number.isSafeInteger(unretired) && unretired >= 0;
  if (!isInRange || !isCounted || unretired > core.instant || core.instant < 0) {
    throw new RangeError('a saved state with values that no processor has');
  }
  for (let segment = L.SEG_ES; segment <= L.SEG_TR; segment++) {
    deriveSegment(state, segment as SegmentIndex);
  }
  setCpl(core, state.cpl);
  const before = new Int32Array(saved.slice(0, L.ARCHITECTURAL_END).buffer);
  for (let word = 0; word < before.length; word++) {
    if (word === L.BUDGET >> 2 || before[word] === state.i32[word]) continue;
    throw new RangeError(
      `a saved state whose word ${(word * 4).toString(16)}h contradicts the rest`,
    );
  }
}

/** The most that words may be, unsigned. */
const RANGES: readonly (readonly [offset: number, most: number])[] = [
  [L.ZERO, 0],
  [L.ESP_GUARD, 1],
  [L.SHADOW, L.SHADOW_MOV_SS],
  [L.NMI_BLOCKED, 1],
  [L.HALTED, 1],
  [L.CPL, 3],
  [L.INTR, 1],
  [L.NMI_PENDING, 1],
  [L.SHUTDOWN, 1],
];
