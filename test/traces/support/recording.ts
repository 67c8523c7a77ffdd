/** Records what a recipe says, and compares recordings. */
import { liveSource } from '../../../src/cli/live-source.js';
import { setUp, startFromOptions } from '../../../src/cli/machine-setup.js';
import type { Machine } from '../../../src/machine/machine.js';
import { Recorder } from '../../../src/replay/recorder.js';
import { Session } from '../../../src/replay/session.js';
import { type Trace, TraceWriter } from '../../../src/replay/trace-format.js';
import { addressOf } from './place.js';
import { machineOptions, type Recipe, ROOT } from './recipe.js';

/** The trace that the recipe gives, as bytes. @throws Error where the guest doesn't come where it says. */
export function recordRecipe(recipe: Recipe): Uint8Array {
  const options = machineOptions(recipe.options);
  const start = startFromOptions(`${ROOT}${recipe.image}`, options);
  const { machine, image } = setUp(start, options.engine);
  const chunks: Uint8Array[] = [];
  const loadAddress = image.kind === 'flat' ? image.entry : null;
  const writer = new TraceWriter((bytes) => chunks.push(bytes), { ...start, loadAddress });
  const session = new Session(machine, liveSource(start.machine), {
    recorder: new Recorder(machine, writer),
    maxInstructions: options.maxInstructions,
  });
  for (const { input, before, visit = 1 } of recipe.inputs) {
    runTo(session, machine, addressOf(image.symbols, before), visit);
    session.inject(input);
  }
  while (session.outcome === null) session.advance(Number.POSITIVE_INFINITY);
  return Buffer.concat(chunks);
}

/** Lets the session come before the instruction at an address for the given time. */
function runTo(session: Session, machine: Machine, address: number, visit: number): void {
  machine.cpu.breakpoints = new Set([address]);
  for (let left = visit, skip = false; left > 0; ) {
    const exit = session.advance(Number.POSITIVE_INFINITY, skip);
    if (exit === 'end') throw new Error(`the guest has ended, ${left} visits too early`);
    skip = exit === 'breakpoint';
    if (skip) left -= 1;
  }
  machine.cpu.breakpoints = new Set();
}

/** All that a replay depends on, and what it is compared with. */
export function contentOf(trace: Trace): unknown {
  const { machine, images, loadAddress } = trace.header;
  const bytes = images.map((_, place) => {
    const image = trace.image(place);
    return image.isWhole ? Buffer.from(image.value).toString('base64') : image.damage;
  });
  return { machine, images, loadAddress, bytes, events: [...trace.events] };
}
