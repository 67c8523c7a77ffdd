/** Moving the target in either direction of time. */
import type { ResumeAction } from '../commands/command.js';
import { programCounter } from '../stop-reply.js';
import type { DebugTarget, Motion, StopConditions, TargetStop } from '../target.js';
import type { Handlers } from './handler.js';
import { text, UNKNOWN } from './reply.js';
import { stopConditions } from './stop-conditions.js';

/** Steps of a range between two chances to interrupt it. */
const STEPS_A_SLICE = 1024;

export const RESUME_HANDLERS: Pick<Handlers, 'resume-actions' | 'resume' | 'reverse'> = {
  // Where C and S are missing gdb turns a step into a continue.
  'resume-actions': () => text('vCont;c;C;s;S;r'),

  resume: ({ action }, context) => {
    const { target } = context;
    const stops = stopConditions(context, 'forward');
    return { kind: 'motion', motion: move(target, target.forward, action, stops) };
  },

  reverse: ({ action }, context) => {
    const { target } = context;
    if (target.backward === undefined) return UNKNOWN;
    const stops = stopConditions(context, 'backward');
    return { kind: 'motion', motion: move(target, target.backward, action, stops) };
  },
};

function move(
  target: DebugTarget,
  motion: Motion,
  action: ResumeAction,
  stops: StopConditions,
): Generator<undefined, TargetStop> {
  switch (action.kind) {
    case 'continue':
      return motion.continue(stops);
    case 'step':
      return motion.step(stops);
    case 'range':
      return stepRange(target, motion, action, stops);
  }
}

/** Steps until the program counter leaves the range, or something stops it on the way. */
function* stepRange(
  target: DebugTarget,
  motion: Motion,
  range: { readonly first: number; readonly end: number },
  stops: StopConditions,
): Generator<undefined, TargetStop> {
  for (let steps = 1; ; steps++) {
    const stop = yield* motion.step(stops);
    const pc = programCounter(target);
    if (stop.kind !== 'step' || pc < range.first || pc >= range.end) return stop;
    if (stops.breakpoints.has(pc) && stops.isWanted?.(pc) !== false)
      return { kind: 'breakpoint', linear: pc };
    if (steps % STEPS_A_SLICE === 0) yield undefined;
  }
}
