/**
 * Finding the next stop, in either direction. Forward is running. Backward is running forward through one
 * interval between checkpoints after another, the latest first, and remembering the last stop in it.
 */
import type { Checkpoint } from './checkpoint.js';
import type { Instant } from './instant.js';
import type { Stop, StopConditions } from './motion.js';
import type { Track } from './track.js';

/** Steps between two yields: some milliseconds. */
export const SLICE_STEPS = 200_000;
/** Stops passed between two yields. */
const SLICE_STOPS = 2_000;

/** What was found going through an interval: the instant at which to stop, and why. */
interface Found {
  readonly at: Instant;
  readonly stop: Stop;
}

/** Goes on to the first stop; a breakpoint at the present EIP is one. */
export function* searchForward(track: Track, stops: StopConditions): Generator<undefined, Stop> {
  const lookout = track.arm(stops);
  let sliceEnd = track.instant + SLICE_STEPS;
  let passed = 0;
  let skip = false;
  try {
    for (;;) {
      const exit = track.travel(sliceEnd, false, skip);
      const hit = lookout.access ?? lookout.happening;
      if (hit !== null) return hit;
      if (exit === 'end' || exit === 'divergence') return track.stopBy(exit);
      skip = exit === 'breakpoint';
      if (skip && isWanted(track, stops)) return breakpointStop(track);
      if (skip && ++passed % SLICE_STOPS !== 0) continue;
      yield;
      sliceEnd = track.instant + SLICE_STEPS;
    }
  } finally {
    track.disarm();
  }
}

/**
 * Goes back to the last stop before the present instant; a breakpoint at the present EIP is none. Where its
 * caller returns it, the machine is left at an instant up to which there was no stop.
 */
export function* searchBackward(track: Track, stops: StopConditions): Generator<undefined, Stop> {
  const { past } = track;
  if (track.diversion !== null) {
    const { start } = track.diversion;
    const hasMoved = track.instant > start;
    track.go(start);
    // A diversion has no past but its start, which one comes by on the way back.
    const isAtBreakpoint = hasMoved && stops.breakpoints.has(track.linear);
    if (isAtBreakpoint && isWanted(track, stops)) return breakpointStop(track);
  } else if (past.replayer.divergence === null) past.take();
  // No stop lies from here on to where the motion began.
  let clearFrom = track.instant;
  let target = clearFrom;
  try {
    while (clearFrom > track.begin) {
      yield* track.importing(clearFrom - 1);
      const from = track.nearest(clearFrom - 1);
      const found = yield* lastStop(track, from, clearFrom, stops);
      if (found !== null) {
        target = found.at;
        return found.stop;
      }
      clearFrom = from.at;
      target = clearFrom;
    }
    return { kind: 'begin' };
  } finally {
    track.disarm();
    track.go(target, true);
  }
}

/** The last stop in the interval from a checkpoint up to but not including an instant, or null. */
function* lastStop(
  track: Track,
  from: Checkpoint,
  to: Instant,
  stops: StopConditions,
): Generator<undefined, Found | null> {
  let found: Found | null = null;
  let skip = false;
  let passed = 0;
  track.restore(from);
  const lookout = track.arm(stops);
  while (track.instant < to) {
    const sliceEnd = Math.min(to, track.instant + SLICE_STEPS);
    const exit = track.travel(sliceEnd, to, skip);
    skip = exit === 'breakpoint';
    const { access, happening } = lookout;
    if (access !== null) found = { at: track.instant - 1, stop: access };
    if (happening !== null && track.instant < to) found = { at: track.instant, stop: happening };
    lookout.clear();
    if (skip && isWanted(track, stops)) {
      found = { at: track.instant, stop: breakpointStop(track) };
    }
    if (exit === 'end' || exit === 'divergence') break;
    passed += 1;
    if (track.instant === sliceEnd || passed % SLICE_STOPS === 0) yield;
  }
  return found;
}

function isWanted({ linear }: Track, { isWanted: asks }: StopConditions): boolean {
  return asks === undefined || asks(linear);
}

function breakpointStop({ linear }: Track): Stop {
  return { kind: 'breakpoint', linear };
}
