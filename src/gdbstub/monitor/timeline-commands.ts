/** The `monitor` commands of a timeline: where it is, where to go, what happened when. */
import { UserError } from '../../machine/user-error.js';
import { describeEvent } from '../../replay/divergence.js';
import type { TraceEvent } from '../../replay/event.js';
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
        '--kind KIND only irq, accept, nmi, exception, clock, serial, shim, digest or end',
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
    else if (option === '--kind') kind = value;
    else throw new UserError(`monitor events: no option ${option}; try "monitor help events"`);
  }
  return { around, count, kind };
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_COUNT) {
    throw new UserError(`monitor events: --count takes 1 to ${MOST_COUNT}, not "${text}"`);
  }
  return count;
}

function listEvents(
  timeline: Timeline,
  symbols: Symbols | null,
  { around, count, kind }: EventOptions,
): string {
  const isWanted = (event: TraceEvent): boolean => kind === null || event.kind === kind;
  const before = timeline
    .events(0, around - 1)
    .filter(isWanted)
    .slice(-count);
  const after = timeline.events(around, Number.MAX_SAFE_INTEGER).filter(isWanted).slice(0, count);
  if (before.length + after.length === 0) return 'no such events are recorded';
  const lines = (events: readonly TraceEvent[]): string[] =>
    events.map((event) => `   ${describe(event, symbols)}`);
  return [...lines(before), `=> ${formatInstant(around)}`, ...lines(after)].join('\n');
}

/** An event in words, with the symbol of an address in it. */
function describe(event: TraceEvent, symbols: Symbols | null): string {
  const place = event.kind === 'accept' ? (symbols?.lookup(event.eip) ?? null) : null;
  if (place === null) return describeEvent(event);
  return `${describeEvent(event)} <${place.name}+${place.offset}>`;
}
