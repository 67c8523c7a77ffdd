/**
 * Boundaries between steps, and whether an interrupt could come at each of them. A stretch of the past
 * is walked through and the timeline put back to where it was.
 */
import { EFLAGS_IF } from '../cpu/eflags.js';
import { FLAG_SYSTEM, SEG_CS, SHADOW, SHADOW_NONE, SHADOW_STI } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import type { Instant } from '../replay/instant.js';
import type { Timeline } from '../replay/timeline.js';
import { pendingVector } from './guest-registers.js';

/** What an interrupt meets at a boundary. */
export type Gate = 'open' | 'IF=0' | 'virtual IF=0' | 'STI shadow' | 'MOV SS shadow';

/** Boundaries one behind the other with the same gate and the same vector waiting. */
export interface Stretch {
  readonly first: Instant;
  last: Instant;
  readonly gate: Gate;
  /** The vector that waits, or -1. */
  readonly pending: number;
  /** Linear addresses of the instructions at both ends. */
  readonly from: number;
  to: number;
}

/** Boundaries walked between two yields. */
const SLICE_BOUNDARIES = 1000;

/** What an interrupt would meet at the present boundary. */
export function gateOf({ cpu }: Machine): Gate {
  const { state } = cpu.core;
  if ((state.get(FLAG_SYSTEM) & EFLAGS_IF) === 0) return 'IF=0';
  if (!cpu.acceptsInterrupts) return 'virtual IF=0';
  const shadow = state.get(SHADOW);
  if (shadow === SHADOW_NONE) return 'open';
  return shadow === SHADOW_STI ? 'STI shadow' : 'MOV SS shadow';
}

/** The linear address of the next instruction, unsigned. */
export function linearPc({ cpu }: Machine): number {
  const { state } = cpu.core;
  return (state.segmentBase(SEG_CS) + state.eip) >>> 0;
}

/**
 * The boundaries around the present one, as far as they are recorded.
 * @param reach how many to either side.
 * @throws UserError in a diversion, which ends when the timeline moves back.
 */
export function* stretchesAround(
  timeline: Timeline,
  reach: number,
): Generator<undefined, Stretch[]> {
  const here = timeline.instant;
  refuseDiversion(timeline);
  const last = Math.min(here + reach, timeline.recordedEnd);
  const stretches: Stretch[] = [];
  try {
    timeline.seek(Math.max(timeline.begin, here - reach));
    note(stretches, timeline);
    for (let to = timeline.instant; timeline.instant === to && to < last; ) {
      to = Math.min(last, to + SLICE_BOUNDARIES);
      timeline.walk(to, () => note(stretches, timeline));
      yield;
    }
    return stretches;
  } finally {
    timeline.seek(here);
  }
}

/** @throws UserError where a walk through the past would end a diversion. */
export function refuseDiversion(timeline: Timeline): void {
  if (!timeline.isDiverted) return;
  throw new UserError('this is a diversion, which has no past; "monitor seek" ends it');
}

function note(stretches: Stretch[], { machine, instant }: Timeline): void {
  const gate = gateOf(machine);
  const pending = pendingVector(machine);
  const linear = linearPc(machine);
  const open = stretches.at(-1);
  if (open?.gate === gate && open.pending === pending) {
    open.last = instant;
    open.to = linear;
  } else {
    stretches.push({ first: instant, last: instant, gate, pending, from: linear, to: linear });
  }
}
