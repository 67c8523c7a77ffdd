/**
 * The bridge from gdb to a timeline, and the only one: whatever gdb sees of a recording comes through
 * here. Looking changes nothing; setting a register or memory starts a diversion, of which the user is
 * told once, and which ends when time goes backward.
 */

import type { Core } from '../cpu/core.js';
import { EFLAGS_IF, readEflags } from '../cpu/eflags.js';
import { SHADOW } from '../cpu/state-layout.js';
import { formatDivergence } from '../replay/divergence.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import { describeOutcome } from '../replay/outcome.js';
import type {
  Direction,
  Stop,
  Timeline,
  StopConditions as TimelineStops,
} from '../replay/timeline.js';
import { branchesBefore } from './branch-trace.js';
import { toHex } from './bytes.js';
import { CALL_SIGNAL, EXCEPTION_SIGNALS, INTERRUPT_SIGNALS, signalOf } from './delivery-signals.js';
import {
  isLinearRam,
  isPhysicalRam,
  readLinear,
  readPhysical,
  writeLinear,
} from './guest-memory.js';
import { readRegister, refusalToWrite, writeRegister } from './guest-registers.js';
import { I386_LAYOUT, i386Register } from './i386-registers.js';
import { stepBackOverInterrupts, stepOverInterrupts } from './interrupt-skipping.js';
import type { MonitorCommand } from './monitor/command.js';
import type { MonitorContext, TargetSwitches } from './monitor/context.js';
import { timelineCommands } from './monitor/timeline-commands.js';
import { timelineTables } from './os-tables.js';
import { PositionHistory } from './position-history.js';
import { seekWithProgress } from './seek-progress.js';
import type { Symbols } from './symbols.js';
import type {
  BranchBlock,
  DebugTarget,
  MemoryAccess,
  MemoryRegion,
  Motion,
  OsTable,
  RegisterAccess,
  StopConditions,
  TargetImage,
  TargetLibrary,
  TargetStop,
  Watchpoint,
} from './target.js';

/** Bytes that one watchpoint may cover: a larger one would slow down every access to its pages. */
const MOST_WATCHED_BYTES = 1 << 20;

const INSTANT = i386Register('instant');

/** `SHADOW_*` by name, as the register's type has them. */
const SHADOW_NAMES = ['none', 'sti', 'mov_ss'];

/** Linear addresses have no fixed map: with paging, each may be RAM at some time. */
const WHOLE_ADDRESS_SPACE: MemoryRegion = { start: 0, length: 2 ** 32, kind: 'ram' };

/** What a timeline's target knows beside the timeline. */
export interface TargetSurroundings {
  /** Names for addresses in what `monitor` prints. */
  readonly symbols?: Symbols;
  /** The program, for a gdb that has no copy of it. */
  readonly image?: TargetImage;
  /** Code beside the program's, with its names. */
  readonly library?: TargetLibrary;
  /** As in `MonitorContext`. */
  readonly saveTrace?: NonNullable<MonitorContext['saveTrace']>;
}

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
  readonly memoryMap: readonly MemoryRegion[] = [WHOLE_ADDRESS_SPACE];
  readonly tables: readonly OsTable[];
  readonly image?: TargetImage;
  readonly library?: TargetLibrary;
  readonly #timeline: Timeline;
  readonly #history = new PositionHistory();
  readonly #switches: TargetSwitches = {
    isPhysical: false,
    skipsInterrupts: false,
    reportsExceptions: false,
    reportsCalls: false,
    aim: null,
  };
  #notices: string[] = [];
  #progress: string | null = null;

  constructor(timeline: Timeline, surroundings: TargetSurroundings = {}) {
    this.#timeline = timeline;
    const { symbols = null, image, library, saveTrace = null } = surroundings;
    if (image !== undefined) this.image = image;
    if (library !== undefined) this.library = library;
    this.registers = {
      layout: I386_LAYOUT,
      read: (index) => readRegister(timeline.machine, index),
      write: (index, bytes) => this.#writeRegister(index, bytes),
    };
    this.memory = {
      read: (address, length) =>
        this.#switches.isPhysical
          ? readPhysical(this.#core, address, length)
          : readLinear(this.#core, address, length),
      write: (address, bytes) => this.#writeMemory(address, bytes),
    };
    this.forward = this.#motion('forward');
    this.backward = this.#motion('backward');
    this.tables = timelineTables(timeline, symbols);
    this.monitor = timelineCommands({
      timeline,
      symbols,
      saveTrace,
      history: this.#history,
      switches: this.#switches,
      status: this.status,
      noteDiversion: () => this.#noteDiversion(),
    });
  }

  get deliverySignals(): readonly number[] {
    const { reportsExceptions, reportsCalls } = this.#switches;
    return [
      ...INTERRUPT_SIGNALS,
      ...(reportsExceptions ? EXCEPTION_SIGNALS : []),
      ...(reportsCalls ? [CALL_SIGNAL] : []),
    ];
  }

  /** None in a diversion, which looking back would end. */
  readonly branches = (): readonly BranchBlock[] =>
    this.#timeline.isDiverted ? [] : branchesBefore(this.#timeline);

  readonly status = (): string => {
    const { state, interceptor } = this.#core;
    const isInterruptible = (readEflags(state) & EFLAGS_IF) !== 0;
    const parts = [
      formatInstant(this.#timeline.instant),
      `CPL=${state.cpl}`,
      `IF=${isInterruptible ? 1 : 0}`,
      ...(interceptor === null ? [] : [`vif=${interceptor.acceptsInterrupts ? 1 : 0}`]),
      `shadow=${SHADOW_NAMES[state.get(SHADOW)]}`,
    ];
    if (this.#timeline.isDiverted) parts.push('diverted');
    return parts.join(' ');
  };

  readonly restart = (): void => {
    this.#timeline.seek(0);
  };

  readonly release = (): void => {
    this.#switches.aim = null;
    // Going back from within a diversion is what ends it, at the instant where it began.
    if (this.#timeline.isDiverted) this.#timeline.step('backward');
  };

  readonly takeProgress = (): string | null => {
    const progress = this.#progress;
    this.#progress = null;
    return progress;
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
      step: (stops) => this.#noteEndOfDiversion(this.#step(direction, stops)),
      continue: (stops) => this.#noteEndOfDiversion(this.#continue(direction, stops)),
    };
  }

  /** The motion, which tells the user where it has led out of a diversion. */
  *#noteEndOfDiversion(motion: Generator<undefined, TargetStop>): Generator<undefined, TargetStop> {
    const { diversion } = this.#timeline;
    try {
      return yield* motion;
    } finally {
      if (diversion !== null && this.#timeline.diversion !== diversion) {
        this.#notices.push('the diversion has ended: this is what was recorded');
      }
    }
  }

  *#step(direction: Direction, stops: StopConditions): Generator<undefined, TargetStop> {
    const timeline = this.#timeline;
    const { skipsInterrupts } = this.#switches;
    for (;;) {
      let stop: Stop;
      if (skipsInterrupts && !timeline.isDiverted) {
        stop =
          direction === 'forward'
            ? yield* stepOverInterrupts(timeline, stops.watchpoints)
            : stepBackOverInterrupts(timeline, stops.watchpoints);
      } else {
        stop = timeline.step(direction, stops.watchpoints, happenings(stops));
      }
      if (stop.kind !== 'interrupted') return this.#report(stop);
      // A halted guest takes no step until something from outside wakes it.
      yield undefined;
    }
  }

  *#continue(direction: Direction, stops: StopConditions): Generator<undefined, TargetStop> {
    const { aim } = this.#switches;
    this.#switches.aim = null;
    if (aim?.isRemembered !== false) this.#history.leave(this.#timeline.instant);
    if (aim !== null) return yield* this.#goTo(aim.at);
    const { breakpoints, watchpoints, isWanted } = stops;
    const conditions = {
      breakpoints,
      watchpoints,
      ...(isWanted === undefined ? {} : { isWanted }),
      ...happenings(stops),
    };
    return this.#report(yield* this.#timeline.continue(direction, conditions));
  }

  *#goTo(at: Instant): Generator<undefined, TargetStop> {
    const seeking = seekWithProgress(this.#timeline, at);
    for (;;) {
      const slice = seeking.next();
      if (slice.done === true) {
        return slice.value.kind === 'instant' ? { kind: 'arrived' } : this.#report(slice.value);
      }
      this.#progress = slice.value ?? this.#progress;
      yield undefined;
    }
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
      case 'delivery':
        return { kind: 'signal', signal: signalOf(stop.delivery) };
      case 'call':
        return { kind: 'signal', signal: CALL_SIGNAL };
      case 'breakpoint':
      case 'watchpoint':
      case 'begin':
      case 'interrupted':
        return stop;
    }
  }

  #noteEnd({ outcome }: Extract<Stop, { kind: 'end' }>): void {
    const why = outcome === null ? '' : `: ${describeOutcome(outcome)}`;
    const what = this.#timeline.isDiverted ? 'diversion' : 'log';
    this.#notices.push(`the end of the ${what}, at ${formatInstant(this.#timeline.instant)}${why}`);
  }

  #writeRegister(index: number, bytes: Uint8Array): string | null {
    // After a call of a guest's function gdb puts back all registers, most of which have not changed.
    if (toHex(bytes) === toHex(readRegister(this.#timeline.machine, index))) return null;
    // The instant has changed, and in a diversion it is nobody's name for anything.
    if (index === INSTANT && this.#timeline.isDiverted) return null;
    const refusal = refusalToWrite(index);
    if (refusal !== null) return refusal;
    this.#diverge();
    writeRegister(this.#core, index, bytes);
    return null;
  }

  #writeMemory(address: number, bytes: Uint8Array): string | null {
    const { isPhysical } = this.#switches;
    const isRam = isPhysical ? isPhysicalRam : isLinearRam;
    if (!isRam(this.#core, address, bytes.length)) {
      return `not all of ${bytes.length} bytes at ${address.toString(16)}h is RAM`;
    }
    this.#diverge();
    if (isPhysical) this.#core.physical.load(address, bytes);
    else writeLinear(this.#core, address, bytes);
    return null;
  }

  #diverge(): void {
    const isNew = !this.#timeline.isDiverted;
    this.#timeline.diverge().noteEdit();
    if (isNew) this.#noteDiversion();
  }

  #noteDiversion(): void {
    const at = formatInstant(this.#timeline.instant);
    this.#notices.push(
      `a diversion begins at ${at}: what follows is not what was recorded. ` +
        'Going backward, or "monitor seek", ends it.',
    );
  }
}

/** What happens to the guest that a client's signals stand for. */
function happenings({ signals }: StopConditions): Pick<TimelineStops, 'deliveries' | 'calls'> {
  if (signals === undefined || signals.size === 0) return {};
  const calls = signals.has(CALL_SIGNAL);
  return { deliveries: (delivery) => signals.has(signalOf(delivery)), calls };
}
