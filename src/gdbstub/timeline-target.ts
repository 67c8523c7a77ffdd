/**
 * The bridge from gdb to a timeline, and the only one: whatever gdb sees of a recording comes through
 * here. Looking changes nothing; setting a register or memory starts a diversion, of which the user is
 * told once, and which ends when time goes backward.
 */

import type { Core } from '../cpu/core.js';
import { EFLAGS_IF, readEflags } from '../cpu/eflags.js';
import { SHADOW } from '../cpu/state-layout.js';
import { formatDivergence } from '../replay/divergence.js';
import { formatInstant } from '../replay/instant.js';
import { describeOutcome } from '../replay/outcome.js';
import type { Direction, Stop, Timeline } from '../replay/timeline.js';
import { toHex } from './bytes.js';
import { isLinearRam, readLinear, writeLinear } from './guest-memory.js';
import { readRegister, refusalToWrite, writeRegister } from './guest-registers.js';
import { I386_LAYOUT, i386Register } from './i386-registers.js';
import type { MonitorCommand } from './monitor/command.js';
import { type Symbols, timelineCommands } from './monitor/timeline-commands.js';
import type {
  DebugTarget,
  MemoryAccess,
  Motion,
  RegisterAccess,
  StopConditions,
  TargetStop,
  Watchpoint,
} from './target.js';

/** Bytes that one watchpoint may cover: a larger one would slow down every access to its pages. */
const MOST_WATCHED_BYTES = 1 << 20;

const INSTANT = i386Register('instant');

/** `SHADOW_*` by name, as the register's type has them. */
const SHADOW_NAMES = ['none', 'sti', 'mov_ss'];

/** A timeline as gdb wants it. */
export class TimelineTarget implements DebugTarget {
  readonly registers: RegisterAccess;
  readonly memory: MemoryAccess;
  readonly forward: Motion;
  readonly backward: Motion;
  readonly breakpoints = { accepts: (): boolean => true };
  readonly watchpoints = {
    accepts: ({ length }: Watchpoint): boolean => length > 0 && length <= MOST_WATCHED_BYTES,
  };
  readonly monitor: readonly MonitorCommand[];
  readonly #timeline: Timeline;
  #notices: string[] = [];

  /** @param symbols names for addresses in `monitor events`; null where the image has none. */
  constructor(timeline: Timeline, symbols: Symbols | null = null) {
    this.#timeline = timeline;
    this.registers = {
      layout: I386_LAYOUT,
      read: (index) => readRegister(this.#core, index),
      write: (index, bytes) => this.#writeRegister(index, bytes),
    };
    this.memory = {
      read: (linear, length) => readLinear(this.#core, linear, length),
      write: (linear, bytes) => this.#writeMemory(linear, bytes),
    };
    this.forward = this.#motion('forward');
    this.backward = this.#motion('backward');
    this.monitor = timelineCommands(timeline, () => this.status(), symbols);
  }

  readonly status = (): string => {
    const { state } = this.#core;
    const isInterruptible = (readEflags(state) & EFLAGS_IF) !== 0;
    const parts = [
      formatInstant(this.#timeline.instant),
      `CPL=${state.cpl}`,
      `IF=${isInterruptible ? 1 : 0}`,
      `shadow=${SHADOW_NAMES[state.get(SHADOW)]}`,
    ];
    if (this.#timeline.isDiverted) parts.push('diverted');
    return parts.join(' ');
  };

  readonly restart = (): void => {
    this.#timeline.seek(0);
  };

  readonly release = (): void => {
    // Going back from within a diversion is what ends it, at the instant where it began.
    if (this.#timeline.isDiverted) this.#timeline.step('backward');
  };

  readonly takeNotices = (): readonly string[] => {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  };

  get #core(): Core {
    return this.#timeline.machine.cpu.core;
  }

  #motion(direction: Direction): Motion {
    return {
      step: (stops) => this.#step(direction, stops),
      continue: (stops) => this.#continue(direction, stops),
    };
  }

  *#step(direction: Direction, stops: StopConditions): Generator<undefined, TargetStop> {
    for (;;) {
      const stop = this.#timeline.step(direction, stops.watchpoints);
      if (stop.kind !== 'interrupted') return this.#report(stop);
      // A halted guest takes no step until something from outside wakes it.
      yield undefined;
    }
  }

  *#continue(direction: Direction, stops: StopConditions): Generator<undefined, TargetStop> {
    return this.#report(yield* this.#timeline.continue(direction, stops));
  }

  #report(stop: Stop): TargetStop {
    switch (stop.kind) {
      case 'instant':
        return { kind: 'step' };
      case 'end':
        this.#noteEnd(stop);
        return { kind: 'end' };
      case 'divergence':
        this.#notices.push(`the replay ${formatDivergence(stop.divergence)}`);
        return { kind: 'failed' };
      case 'breakpoint':
      case 'watchpoint':
      case 'begin':
      case 'interrupted':
        return stop;
    }
  }

  #noteEnd({ outcome }: Extract<Stop, { kind: 'end' }>): void {
    const why = outcome === null ? '' : `: ${describeOutcome(outcome)}`;
    this.#notices.push(`the end of the log, at ${formatInstant(this.#timeline.instant)}${why}`);
  }

  #writeRegister(index: number, bytes: Uint8Array): string | null {
    // After a call of a guest's function gdb puts back all registers, most of which have not changed.
    if (toHex(bytes) === toHex(readRegister(this.#core, index))) return null;
    // The instant has changed, and in a diversion it is nobody's name for anything.
    if (index === INSTANT && this.#timeline.isDiverted) return null;
    const refusal = refusalToWrite(index);
    if (refusal !== null) return refusal;
    this.#diverge();
    writeRegister(this.#core, index, bytes);
    return null;
  }

  #writeMemory(linear: number, bytes: Uint8Array): string | null {
    if (!isLinearRam(this.#core, linear, bytes.length)) {
      return `not all of ${bytes.length} bytes at ${linear.toString(16)}h is RAM`;
    }
    this.#diverge();
    writeLinear(this.#core, linear, bytes);
    return null;
  }

  #diverge(): void {
    if (this.#timeline.isDiverted) return;
    this.#timeline.diverge();
    const at = formatInstant(this.#timeline.instant);
    this.#notices.push(
      `a diversion begins at ${at}: what follows is not what was recorded. ` +
        'Going backward, or "monitor seek", ends it.',
    );
  }
}
