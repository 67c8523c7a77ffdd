/** The trace of traces/sti-sysexit-padding: an interrupt taken between the last NOP and SYSEXIT. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TraceEvent } from '../../src/replay/event.js';
import { readTrace } from '../../src/replay/trace-format.js';

export const TRACE = fileURLToPath(
  new URL('../../traces/sti-sysexit-padding/race.trace', import.meta.url),
);

const events: readonly TraceEvent[] = [...readTrace(readFileSync(TRACE)).events];

function instantOf(kind: TraceEvent['kind']): number {
  const event = events.find((one) => one.kind === kind);
  if (event === undefined) throw new Error(`${TRACE} has no ${kind} event`);
  return event.at;
}

/** The boundary before SYSEXIT, where the interrupt is taken. */
export const TAKEN = instantOf('accept');
/** The first boundary of the window: behind the NOP that the shadow of STI covers. */
export const OPEN = TAKEN - 3;
export const END = instantOf('end');
