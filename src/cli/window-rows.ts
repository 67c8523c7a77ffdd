/** Finds out what a window shows: steps through a stretch of a timeline and notes what each step is. */
import { EFLAGS_IF } from '../cpu/eflags.js';
import { FLAG_SYSTEM, SHADOW } from '../cpu/state-layout.js';
import { describeLine } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import type { Timeline } from '../replay/timeline.js';
import type { Symbols } from './disassembly.js';
import { peekBytes, presentInstruction } from './present-instruction.js';
import type { StepRow, WindowRow } from './window-view.js';

/** A 32-bit variable whose changes are noted in the margin. */
export interface WatchedVariable {
  readonly name: string;
  readonly linear: number;
}

/**
 * The steps from one instant up to but not another, or to the end of the timeline, which is left at
 * the last of them.
 */
export function collectSteps(
  timeline: Timeline,
  from: Instant,
  to: Instant,
  symbols: Symbols | null,
  variables: readonly WatchedVariable[] = [],
): StepRow[] {
  timeline.seek(from);
  const events = timeline.events(from, to);
  const { machine } = timeline;
  const rows: StepRow[] = [];
  while (machine.cpu.instant < to) {
    const row = presentRow(machine, symbols);
    const { instant } = row;
    const { retired } = machine.cpu;
    const before = variables.map(({ linear }) => peek32(machine, linear));
    if (timeline.step('forward').kind === 'end' && machine.cpu.instant === instant) break;
    const isDelivery = machine.cpu.retired === retired && machine.cpu.core.state.eip !== row.eip;
    const here = events.filter((event) => event.at === instant);
    const notes = here.flatMap(eventNote);
    variables.forEach(({ name, linear }, place) => {
      const value = peek32(machine, linear);
      if (value !== before[place]) notes.push(`${name} = ${value >>> 0}`);
    });
    rows.push({
      ...row,
      ...(isDelivery ? { kind: 'delivery', text: deliveryText(here) } : {}),
      note: notes.length === 0 ? null : notes.join('; '),
    });
  }
  return rows;
}

/** Replaces the rows that aren't kept by one line a stretch, with the functions that it goes through. */
export function elide(
  rows: readonly StepRow[],
  isKept: (row: StepRow, place: number) => boolean,
): WindowRow[] {
  const shown: WindowRow[] = [];
  let hidden: StepRow[] = [];
  const close = (): void => {
    const names = new Set(hidden.map((row) => (row.symbol ?? '').replace(/\+.*/, '')));
    names.delete('');
    const text = [...names].join(', ');
    if (hidden.length > 0) shown.push({ kind: 'gap', steps: hidden.length, text });
    hidden = [];
  };
  rows.forEach((row, place) => {
    if (!isKept(row, place)) {
      hidden.push(row);
      return;
    }
    close();
    shown.push(row);
  });
  close();
  return shown;
}

function presentRow(machine: Machine, symbols: Symbols | null): StepRow {
  const { state } = machine.cpu.core;
  return {
    kind: 'instruction',
    instant: machine.cpu.instant,
    cpl: state.cpl,
    isInterruptible: (state.get(FLAG_SYSTEM) & EFLAGS_IF) !== 0,
    shadow: state.get(SHADOW),
    ...presentInstruction(machine, symbols),
    note: null,
  };
}

function eventNote(event: TraceEvent): string[] {
  switch (event.kind) {
    case 'irq':
      return [`${describeLine(event.line)} rises`];
    case 'nmi':
      return ['an NMI arrives'];
    case 'serial':
      return ['a serial byte arrives'];
    case 'accept':
    case 'exception':
    case 'clock':
    case 'shim':
    case 'digest':
    case 'end':
      return [];
  }
}

function deliveryText(events: readonly TraceEvent[]): string {
  for (const event of events) {
    if (event.kind === 'accept') {
      return `${describeLine(event.line)} is taken: vector 0x${event.vector.toString(16)}`;
    }
  }
  return 'an exception is delivered';
}

function peek32(machine: Machine, linear: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = peekBytes(machine, linear, 4);
  return a | (b << 8) | (c << 16) | (d << 24);
}
