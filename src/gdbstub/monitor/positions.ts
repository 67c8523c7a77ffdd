/** `monitor` commands that go somewhere: seek, aim, back, forward, mark, marks. */
import { UserError } from '../../machine/user-error.js';
import { formatInstant, type Instant, parseInstant } from '../../replay/instant.js';
import type { Stop } from '../../replay/timeline.js';
import { seekWithProgress } from '../seek-progress.js';
import type { MonitorCommand } from './command.js';
import type { Aim, MonitorContext } from './context.js';

/**
 * gdb does not know that a monitor command moved the machine, and shows what it read before. Its
 * memory cache would go with `stepi`, its registers would not come again by themselves.
 */
const STALE =
  'gdb still shows what it read before: now type "maintenance flush register-cache" and ' +
  '"maintenance flush dcache"';

const WHERE = '@N | event N | P% | begin | end | +N | -N | MARK';

export function positionCommands(context: MonitorContext): MonitorCommand[] {
  const { timeline, history, switches } = context;
  return [
    {
      name: 'seek',
      usage: `seek ${WHERE}`,
      summary: 'goes to an instant',
      details: [
        '+N and -N count from the present instant, events from 0. A diversion ends.',
        'gdb does not notice: afterwards type "maintenance flush register-cache".',
      ],
      run: (args) => goTo(context, parseWhere(context, 'seek', args)),
    },
    {
      name: 'aim',
      usage: `aim ${WHERE}`,
      summary: 'has the next "continue" go to an instant, whichever side it lies on',
      details: [
        'gdb notices the change, and Ctrl-C works on the way. "aim off" takes it back.',
        '"aim back" and "aim forward" are "back" and "forward" in this manner.',
        'An error here ends a gdb script, which would otherwise just continue.',
      ],
      isStrict: true,
      run: (args) => {
        switches.aim = args[0] === 'off' ? null : parseAim(context, args);
        return switches.aim === null
          ? 'The next "continue" just continues.'
          : `The next "continue" goes to ${formatInstant(switches.aim.at)}.`;
      },
    },
    {
      name: 'back',
      usage: 'back',
      summary: 'goes to where the last seek or continue began',
      details: ['Again, and it goes further back. "forward" undoes it.'],
      run: () => goTo(context, positionBefore(context), false),
    },
    {
      name: 'forward',
      usage: 'forward',
      summary: 'goes to where "back" came from',
      details: [],
      run: () => goTo(context, positionAhead(context), false),
    },
    {
      name: 'mark',
      usage: 'mark NAME',
      summary: 'gives the present instant a name, which seek then takes',
      details: ['Names begin with a letter.'],
      run: (args) => {
        const [name = ''] = args;
        if (args.length !== 1 || !/^[A-Za-z_][\w.-]{0,63}$/.test(name)) {
          throw new UserError('monitor mark: give one name that begins with a letter');
        }
        history.marks.set(name, timeline.instant);
        return `${name} is ${formatInstant(timeline.instant)}`;
      },
    },
    {
      name: 'marks',
      usage: 'marks',
      summary: 'the names that were given to instants',
      details: [],
      run: () => {
        const rows = [...history.marks].sort(([, a], [, b]) => a - b);
        if (rows.length === 0) return 'there are no marks; "monitor mark NAME" makes one';
        return rows.map(([name, at]) => `${formatInstant(at)}  ${name}`).join('\n');
      },
    },
  ];
}

function* goTo(
  { timeline, history, status }: MonitorContext,
  target: Instant,
  isRemembered = true,
): Generator<string | undefined, string> {
  if (isRemembered) history.leave(timeline.instant);
  const stop = yield* seekWithProgress(timeline, target);
  return [status(), ...describeStop(stop), STALE].join('\n');
}

function positionBefore({ history, timeline }: MonitorContext): Instant {
  const position = history.back(timeline.instant);
  if (position === null) throw new UserError('monitor back: there is no position before');
  return position;
}

function positionAhead({ history, timeline }: MonitorContext): Instant {
  const position = history.forward(timeline.instant);
  if (position === null) throw new UserError('monitor forward: there was no "back" before');
  return position;
}

function parseAim(context: MonitorContext, args: readonly string[]): Aim {
  const word = args.length === 1 ? args[0] : '';
  if (word === 'back') return { at: positionBefore(context), isRemembered: false };
  if (word === 'forward') return { at: positionAhead(context), isRemembered: false };
  return { at: parseWhere(context, 'aim', args), isRemembered: true };
}

function describeStop(stop: Stop): string[] {
  if (stop.kind === 'end') return ['This is the end: nothing is recorded beyond it.'];
  if (stop.kind === 'begin') return ['This is the beginning.'];
  return stop.kind === 'divergence' ? ['The replay left the recorded past here.'] : [];
}

/** @throws UserError where the words are no place in time. */
function parseWhere(context: MonitorContext, command: string, args: readonly string[]): Instant {
  const { timeline, history } = context;
  const [word = '', number] = args;
  if (word === 'event' && args.length === 2) return eventInstant(context, number);
  if (args.length !== 1) {
    throw new UserError(`monitor ${command}: give one instant, such as @1234567`);
  }
  if (word === 'begin') return timeline.begin;
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(word);
  if (word === 'end' || percent !== null) {
    if (timeline.end === null && word === 'end') {
      throw new UserError(`monitor ${command} end: a live run has no end yet`);
    }
    if (percent === null) return timeline.recordedEnd;
    const part = Math.min(Number(percent[1]), 100) / 100;
    return timeline.begin + Math.floor((timeline.recordedEnd - timeline.begin) * part);
  }
  if (word.startsWith('+')) return timeline.instant + parseInstant(word.slice(1));
  if (word.startsWith('-')) return timeline.instant - parseInstant(word.slice(1));
  return history.marks.get(word) ?? parseInstant(word);
}

function eventInstant({ timeline }: MonitorContext, text: string): Instant {
  const { log } = timeline;
  const event = /^\d+$/.test(text) ? log.at(Number(text)) : undefined;
  if (event === undefined) {
    throw new UserError(`there is no event ${text}: they are numbered 0 to ${log.length - 1}`);
  }
  return event.at;
}
