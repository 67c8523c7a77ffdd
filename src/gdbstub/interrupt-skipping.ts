/**
 * Steps that take the handlers of interrupts as part of the instruction that they came before: what
 * `monitor irq-step off` makes of `stepi`. Back is the exact inverse of forth.
 */

import { EFLAGS_VM } from '../cpu/eflags.js';
import { ESP, FLAG_SYSTEM, SEG_SS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Instant } from '../replay/instant.js';
import type { Delivery } from '../replay/motion.js';
import type { Stop, Timeline } from '../replay/timeline.js';
import { linearPc } from './boundaries.js';
import { readLinear } from './guest-memory.js';
import type { StopConditions } from './target.js';

const IRET = 0xcf;
const OPERAND_SIZE = 0x66;

/** One step of the interrupted program forward, handlers that come before its instruction included. */
export function* stepOverInterrupts(
  timeline: Timeline,
  watchpoints: StopConditions['watchpoints'],
): Generator<undefined, Stop> {
  const { machine } = timeline;
  for (;;) {
    const at = timeline.instant;
    const place = whereabouts(machine);
    const linear = linearPc(machine);
    const stop = timeline.step('forward', watchpoints, { deliveries: isInterrupt });
    if (stop.kind !== 'delivery' || timeline.instant === at) return stop;
    const back = yield* timeline.continue('forward', {
      breakpoints: new Set([linear]),
      watchpoints,
      isWanted: () => whereabouts(machine) === place,
    });
    if (back.kind !== 'breakpoint') return back;
  }
}

/** One step back, to before the handlers that came before the instruction that is taken back. */
export function stepBackOverInterrupts(
  timeline: Timeline,
  watchpoints: StopConditions['watchpoints'],
): Stop {
  const stop = timeline.step('backward', watchpoints);
  if (stop.kind !== 'instant') return stop;
  for (;;) {
    const before = interruptBefore(timeline);
    if (before === null) return stop;
    timeline.seek(before);
  }
}

/**
 * The boundary at which an interrupt was taken whose handler has just returned to the present
 * instruction; null where the last step was something else. The timeline stays where it is.
 */
function interruptBefore(timeline: Timeline): Instant | null {
  const { machine, instant } = timeline;
  if (instant === timeline.begin) return null;
  const place = whereabouts(machine);
  const { eip, cpl } = machine.cpu.core.state;
  timeline.seek(instant - 1);
  const isReturn = isIret(machine);
  timeline.seek(instant);
  if (!isReturn) return null;
  for (let index = timeline.eventsBefore(instant) - 1; index >= 0; index--) {
    const event = timeline.log.at(index);
    if (event?.kind !== 'accept' || event.eip !== (eip | 0) || event.cpl !== cpl) continue;
    timeline.seek(event.at);
    const isSame = whereabouts(machine) === place;
    timeline.seek(instant);
    if (isSame) return event.at;
  }
  return null;
}

function isInterrupt({ kind }: Delivery): boolean {
  return kind === 'interrupt' || kind === 'nmi';
}

/** What a handler leaves as it was: the place in the program, and the stack. */
function whereabouts(machine: Machine): string {
  const { state } = machine.cpu.core;
  const words = [linearPc(machine), state.cpl, state.get(ESP), state.selector(SEG_SS)];
  return [...words, state.get(FLAG_SYSTEM) & EFLAGS_VM].join(' ');
}

function isIret(machine: Machine): boolean {
  const [first, second] = readLinear(machine.cpu.core, linearPc(machine), 2);
  return first === IRET || (first === OPERAND_SIZE && second === IRET);
}
