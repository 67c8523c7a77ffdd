/** The `monitor` commands of a timeline: where it is, where to go, what happened when. */
import { UserError } from '../../machine/user-error.js';
import { describeEvent } from '../../replay/divergence.js';
import type { TraceEvent } from '../../replay/event.js';
import { formatInstant, type Instant, parseInstant } from '../../replay/instant.js';
import type { Timeline } from '../../replay/timeline.js';
import type { MonitorCommand } from './command.js';

/** A name for an address; the symbol table of an image is one. */
export interface Symbols {
  lookup(address: number): { readonly name: string; readonly offset: number } | null;
}

/** Events shown to either side of an instant, unless the user says otherwise. */
const DEFAULT_COUNT = 10;
/** Most events shown at once. */
const MOST_COUNT = 1000;

/**
 * gdb does not know that a monitor command moved the machine, and shows what it read before. Its
 * memory cache would go with `stepi`, its registers would not come again by themselves.
 */
const STALE =
  'gdb still shows what it read before: now type "maintenance flush register-cache" and ' +
  '"maintenance flush dcache"';

/**
 * The table of commands.
 * @param status one line on the present state, beginning with the instant.
 */
export function timelineCommands(
  timeline: Timeline,
  status: () => string,
  symbols: Symbols | null,
): MonitorCommand[] {
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
    {
      name: 'seek',
      usage: 'seek @N | begin | end | +N | -N',
      summary: 'goes to an instant',
      details: [
        '+N and -N count from the present instant. A diversion ends.',
        'gdb does not notice: afterwards type "maintenance flush register-cache".',
      ],
      run: (args) => seek(timeline, status, args),
    },
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
  ];
}

function seek(timeline: Timeline, status: () => string, args: readonly string[]): string {
  if (args.length !== 1) throw new UserError('monitor seek: give one instant, such as @1234567');
  const target = parseTarget(timeline, args[0]);
  const stop = timeline.seek(target);
  const lines = [status()];
  if (stop.kind === 'end') lines.push('This is the end: nothing is recorded beyond it.');
  if (stop.kind === 'begin') lines.push('This is the beginning.');
  if (stop.kind === 'divergence') lines.push('The replay left the recorded past here.');
  return [...lines, STALE].join('\n');
}

function parseTarget(timeline: Timeline, text: string): Instant {
  if (text === 'begin') return 0;
  if (text === 'end') {
    if (timeline.end === null) throw new UserError('monitor seek end: a live run has no end yet');
    return timeline.end;
  }
  if (text.startsWith('+')) return timeline.instant + parseInstant(text.slice(1));
  if (text.startsWith('-')) return timeline.instant - parseInstant(text.slice(1));
  return parseInstant(text);
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
