/** The `monitor` commands of a timeline: where it is, where to go, what happened when. */
import { UserError } from '../../machine/user-error.js';
import { describeEvent } from '../../replay/divergence.js';
import { COUNTED_KINDS, type TraceEvent } from '../../replay/event.js';
import type { EventList } from '../../replay/event-list.js';
import { formatInstant, type Instant, parseInstant } from '../../replay/instant.js';
import type { Timeline } from '../../replay/timeline.js';
import type { Symbols } from '../symbols.js';
import type { MonitorCommand } from './command.js';
import type { MonitorContext } from './context.js';
import { diversionCommands } from './diversions.js';
import { positionCommands } from './positions.js';
import { switchCommands } from './switches.js';
import { windowCommands } from './windows.js';

/** Events shown to either side of an instant, unless the user says otherwise. */
const DEFAULT_COUNT = 10;
/** Most events shown at once. */
const MOST_COUNT = 1000;
/** Events looked at between two chances to interrupt it. */
const EVENTS_A_SLICE = 10_000;
const KINDS: readonly string[] = [...COUNTED_KINDS, 'end'];

/** The table of commands. */
export function timelineCommands(context: MonitorContext): MonitorCommand[] {
  const { timeline, status, symbols } = context;
  return [
    {
      name: 'when',
      usage: 'when',
      summary: 'the present instant, and where the log ends',
      details: [
        'An instant counts the steps since reset: instructions, REP iterations, deliveries.',
      ],
      run: () => {
        const { end } = timeline;
        return `${status()}, of ${end === null ? 'a live run' : formatInstant(end)}`;
      },
    },
    ...positionCommands(context),
    {
      name: 'events',
      usage: 'events [--around @N] [--count N] [--kind KIND]',
      summary: 'the recorded events before and after an instant, the present one if none is given',
      details: [
        `--count N   events to either side, ${DEFAULT_COUNT} unless given`,
        `--kind KIND only ${KINDS.join(', ')}`,
        'An arrow marks where the instant lies among them.',
      ],
      run: (args) => listEvents(timeline, symbols, parseEventOptions(args, timeline.instant)),
    },
    ...windowCommands(context),
    ...diversionCommands(context),
    ...switchCommands(context),
  ];
}

interface EventOptions {
  readonly around: Instant;
  readonly count: number;
  readonly kind: string | null;
}

function parseEventOptions(args: readonly string[], present: Instant): EventOptions {
  let around = present;
  let count = DEFAULT_COUNT;
  let kind: string | null = null;
  for (let i = 0; i < args.length; i += 2) {
    const [option, value] = [args[i], args.at(i + 1)];
    if (value === undefined) throw new UserError(`monitor events: ${option} needs a value`);
    if (option === '--around') around = parseInstant(value);
    else if (option === '--count') count = parseCount(value);
    else if (option === '--kind') kind = parseKind(value);
    else throw new UserError(`monitor events: no option ${option}; try "monitor help events"`);
  }
  return { around, count, kind };
}

function parseKind(text: string): string {
  if (KINDS.includes(text)) return text;
  throw new UserError(`monitor events: no kind ${text}; they are ${KINDS.join(', ')}`);
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_COUNT) {
    throw new UserError(`monitor events: --count takes 1 to ${MOST_COUNT}, not "${text}"`);
  }
  return count;
}

function* listEvents(
  timeline: Timeline,
  symbols: Symbols | null,
  { around, count, kind }: EventOptions,
): Generator<undefined, string> {
  const middle = timeline.eventsBefore(around);
  const before = yield* someEvents(timeline.log, middle - 1, -1, count, kind);
  const after = yield* someEvents(timeline.log, middle, 1, count, kind);
  if (before.length + after.length === 0) return 'no such events are recorded';
  const lines = (events: readonly TraceEvent[]): string[] =>
    events.map((event) => `   ${describe(event, symbols)}`);
  return [...lines(before.reverse()), `=> ${formatInstant(around)}`, ...lines(after)].join('\n');
}

/** The first events of a kind, or of any, from a place on in either direction. */
function* someEvents(
  log: EventList,
  from: number,
  direction: 1 | -1,
  count: number,
  kind: string | null,
): Generator<undefined, TraceEvent[]> {
  const found: TraceEvent[] = [];
  for (let place = from; place >= 0 && found.length < count; place += direction) {
    const event = log.at(place);
    if (event === undefined) break;
    if (kind === null || event.kind === kind) found.push(event);
    if (place % EVENTS_A_SLICE === 0) yield;
  }
  return found;
}

/** An event in words, with the symbol of an address in it. */
function describe(event: TraceEvent, symbols: Symbols | null): string {
  const place = event.kind === 'accept' ? (symbols?.lookup(event.eip) ?? null) : null;
  if (place === null) return describeEvent(event);
  return `${describeEvent(event)} <${place.name}+${place.offset}>`;
}
