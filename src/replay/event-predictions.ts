/** What one event of a chunk says of the next, so that the codec need not write it. */
import { type ClockSource, LINES } from '../machine/input.js';
import { CallPredictions } from './call-predictions.js';
import type { BodyEvent } from './event.js';
import type { Instant } from './instant.js';

/** Clocks as traces number them: in two bits, so there is room for no more. */
export const CLOCK_SOURCES: readonly ClockSource[] = ['tsc', 'pit', 'rtc', 'apic'];

/** What the events of a chunk so far say of the next. Writer and reader keep the same. */
export class Predictions {
  at: Instant;
  /** The last tick, and how far the one before it was; 0 until there were two. */
  tick = -1;
  period = 0;
  /** The line that rose last, and the vector that each line had last. */
  line = 0;
  readonly vectors: Int16Array = new Int16Array(LINES).fill(-1);
  eip = 0;
  site = 0;
  readonly calls = new CallPredictions();
  readonly clocks: Float64Array = new Float64Array(CLOCK_SOURCES.length);

  /** @param at where the chunk starts. */
  constructor(at: Instant) {
    this.at = at;
  }

  /** Takes note of the next event. */
  observe(event: BodyEvent): void {
    this.at = event.at;
    switch (event.kind) {
      case 'irq':
        this.line = event.line;
        if (!isTick(event)) break;
        if (this.tick >= 0) this.period = event.at - this.tick;
        this.tick = event.at;
        break;
      case 'accept':
        this.vectors[event.line] = event.vector;
        this.eip = event.eip;
        break;
      case 'clock':
        this.clocks[CLOCK_SOURCES.indexOf(event.source)] = event.value;
        break;
      case 'shim':
        this.site = event.site;
        this.calls.observe(event);
        break;
      case 'nmi':
      case 'exception':
      case 'serial':
      case 'digest':
        break;
    }
  }
}

/** The timer's edge: an input on line 0. */
export function isTick(event: BodyEvent): boolean {
  return event.kind === 'irq' && event.isInput && event.line === 0;
}
