/** Timelines to debug: the loop of `LoopMachine` on the real processor, and the guest "window". */
import { readFileSync } from 'node:fs';
import { ESP } from '../../src/cpu/state-layout.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import type { SymbolTable } from '../../src/machine/symbols.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Session } from '../../src/replay/session.js';
import { Timeline } from '../../src/replay/timeline.js';
import { LOOP_CODE, LOOP_START } from './loop-machine.js';

/** A live timeline of `LOOP_CODE` with an end, as `new LoopMachine(end)` but for the registers' names. */
export function loopTimeline(end: number): Timeline {
  const machine = new Machine({ memoryBytes: 1 << 20 });
  const image = { name: 'loop', bytes: LOOP_CODE };
  loadImage(machine, image, { address: LOOP_START });
  machine.cpu.core.state.set(ESP, 0);
  return Timeline.live(machine, new VirtualClock(), { maxInstructions: end });
}

export const WINDOW_IMAGE: string = new URL('../../guest/window/window.elf', import.meta.url)
  .pathname;

function windowMachine(): { readonly machine: Machine; readonly symbols: SymbolTable } {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const image = { name: 'window.elf', bytes: readFileSync(WINDOW_IMAGE) };
  return { machine, symbols: loadImage(machine, image, {}).symbols };
}

/** A recording of the guest "window" under random interrupts, opened as a trace is. */
export function windowTimeline(instructions: number): {
  readonly timeline: Timeline;
  readonly symbols: SymbolTable;
} {
  const events: TraceEvent[] = [];
  const { machine: recorded } = windowMachine();
  const recorder = new Recorder(recorded, { event: (event) => events.push(event) });
  const session = new Session(recorded, new RandomClock(7), {
    recorder,
    maxInstructions: instructions,
  });
  while (session.slice(1_000_000) === 'running');
  const { machine, symbols } = windowMachine();
  return { timeline: Timeline.overTrace(machine, events, recorded.cpu.instant), symbols };
}
