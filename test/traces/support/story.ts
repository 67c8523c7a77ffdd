/**
 * The table of a trace's README: at which instant, where and what. The recipe says what; the instants
 * are looked up in the trace, so that they follow the guest.
 */
import { setUp } from '../../../src/cli/machine-setup.js';
import { startFromTrace } from '../../../src/cli/trace-images.js';
import type { MachineInput } from '../../../src/machine/input.js';
import type { SymbolTable } from '../../../src/machine/symbols.js';
import type { TraceEvent } from '../../../src/replay/event.js';
import { ListCursor } from '../../../src/replay/event-cursor.js';
import { formatInstant, type Instant } from '../../../src/replay/instant.js';
import { Replayer } from '../../../src/replay/replayer.js';
import type { Trace } from '../../../src/replay/trace-format.js';
import { addressOf, placeOf } from './place.js';
import type { Recipe } from './recipe.js';

const BEGIN = '<!-- written by npm run traces -->';
const END = '<!-- to here -->';

const INPUTS: ReadonlySet<string> = new Set(['irq', 'nmi', 'exception', 'serial']);

/** A row of the table. */
export interface StoryEntry {
  readonly instant: Instant;
  readonly place: string;
  readonly text: string;
}

/** An instant at which the guest was before the instruction at an address. */
interface Visit {
  readonly instant: Instant;
  readonly address: number;
}

/** The story's rows with their instants. @throws Error where the guest was never where a row says. */
export function storyOf(recipe: Recipe, trace: Trace, name: string): StoryEntry[] {
  const events = [...trace.events];
  const inputAt = lastInput(events, recipe.inputs.at(-1)?.input.kind ?? null);
  const { visits, symbols } = visitsOf(recipe, trace, name, inputAt);
  const middle = recipe.story.findIndex(({ at }) => at === 'input');
  if (middle < 0) throw new Error(`${name}: no row of the story is at the input`);
  const wherever = (at: string): ((visit: Visit) => boolean) => {
    if (at === 'input') return ({ instant }) => instant === inputAt;
    const address = addressOf(symbols, at);
    return (visit) => visit.address === address;
  };
  const found: Visit[] = [];
  for (let row = middle, limit = inputAt; row >= 0; row--) {
    const fits = wherever(recipe.story[row].at);
    const visit = visits.findLast((each) => each.instant <= limit && fits(each));
    if (visit === undefined) throw new Error(`${name}: ${recipe.story[row].at} was not visited`);
    found[row] = visit;
    limit = visit.instant - 1;
  }
  for (let row = middle + 1, least = inputAt + 1; row < recipe.story.length; row++) {
    const fits = wherever(recipe.story[row].at);
    const visit = visits.find((each) => each.instant >= least && fits(each));
    if (visit === undefined) throw new Error(`${name}: ${recipe.story[row].at} was not visited`);
    found[row] = visit;
    least = visit.instant + 1;
  }
  return recipe.story.map(({ text }, row) => {
    const { instant, address } = found[row];
    return { instant, place: placeOf(symbols, address), text };
  });
}

/** The instant of the last input of a kind; null: of any, but for readings of a clock. */
function lastInput(events: readonly TraceEvent[], kind: MachineInput['kind'] | null): Instant {
  const input = events.findLast((event) => {
    if (event.kind === 'irq' && !event.isInput) return false;
    return kind === null ? INPUTS.has(event.kind) : event.kind === kind;
  });
  if (input === undefined) throw new Error('the trace holds no such input');
  return input.at;
}

/** All visits to the story's places, and where the guest was when the input came, in order. */
function visitsOf(
  recipe: Recipe,
  trace: Trace,
  name: string,
  inputAt: Instant,
): { readonly visits: readonly Visit[]; readonly symbols: SymbolTable } {
  const { machine, image } = setUp(startFromTrace(trace, name));
  const replayer = new Replayer(machine, new ListCursor([...trace.events]), trace.lastInstant);
  replayer.attach();
  const { symbols } = image;
  const places = recipe.story.filter(({ at }) => at !== 'input');
  machine.cpu.breakpoints = new Set(places.map(({ at }) => addressOf(symbols, at)));
  const visits: Visit[] = [];
  const note = (): void => {
    const { eip } = machine.cpu.core.state;
    visits.push({ instant: machine.cpu.instant, address: eip >>> 0 });
  };
  let isInputNoted = false;
  for (let skip = false; replayer.outcome === null && replayer.divergence === null; ) {
    const target = isInputNoted ? Number.POSITIVE_INFINITY : inputAt;
    const exit = replayer.advance(target, skip);
    skip = exit === 'breakpoint';
    const isInput = machine.cpu.instant === inputAt && !isInputNoted;
    if (skip || isInput) note();
    if (isInput) isInputNoted = true;
  }
  if (replayer.divergence !== null) throw new Error(`${name} doesn't replay: record it first`);
  return { visits, symbols };
}

/** The table between its two marks. */
export function renderStory(entries: readonly StoryEntry[]): string {
  const rows = entries.map(
    ({ instant, place, text }) => `| ${formatInstant(instant)} | \`${place}\` | ${text} |`,
  );
  return [BEGIN, '| instant | where | what happens |', '| --- | --- | --- |', ...rows, END].join(
    '\n',
  );
}

/**
 * The README with its table renewed, and with each instant of the old table that stands elsewhere in it
 * replaced by the one of the same row.
 * @param readme null where there is none yet: one that says little else is made.
 */
export function refreshReadme(
  readme: string | null,
  recipe: Recipe,
  entries: readonly StoryEntry[],
): string {
  const table = renderStory(entries);
  if (readme === null) return `# ${recipe.title}\n\n${table}\n`;
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from)
    throw new Error(`${recipe.title}: its README has no marks for the table`);
  const old = [...readme.slice(from, to).matchAll(/^\| (@\d+) /gm)].map((match) => match[1]);
  const renew = (text: string): string =>
    text.replaceAll(/@\d+/g, (instant) => {
      const row = old.indexOf(instant);
      return row < 0 || row >= entries.length ? instant : formatInstant(entries[row].instant);
    });
  return `${renew(readme.slice(0, from))}${table}${renew(readme.slice(to + END.length))}`;
}
