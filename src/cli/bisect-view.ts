/** The report of `holdoff bisect`, as one would paste it into a bug tracker. Rendering alone. */
import { formatInstant, type Instant } from '../replay/instant.js';
import type { Bisection, NeededEvent } from '../search/bisect.js';
import type { EventWindow } from '../search/event-window.js';
import { summariseExploration } from '../search/exploration.js';
import type { FirstDifference, Registers } from '../search/first-difference.js';
import { verdictName } from '../search/verdict.js';
import { symbolText } from './disassembly.js';
import { type ExploreNames, instructionText, renderMap } from './explore-view.js';
import { hex32, plural } from './numbers.js';
import { inputText } from './search-options.js';

/** Boundaries that are shown on either side of a window, and at most of it. */
const MARGIN = 4;
const WINDOW_MOST = 60;

/** Where an event may come, and where it is then taken; both ends are included. */
export interface WindowBounds {
  readonly first: Instant;
  readonly last: Instant;
  readonly takenFirst: Instant;
  readonly takenLast: Instant;
}

/** Of the window's placements those that are taken at once give the bounds of what they do. */
export function windowBounds({ first, last, classes }: EventWindow): WindowBounds {
  const inside = classes.filter(({ members }) =>
    members.some(({ at }) => at >= first && at <= last),
  );
  const runs = inside.map(({ runAt }) => runAt);
  return { first, last, takenFirst: Math.min(...runs), takenLast: Math.max(...runs) };
}

/** The report, each line ending in a newline. @param replay the command that shows the bad run. */
export function renderBisection(
  bisection: Bisection,
  names: ExploreNames,
  replay: string | null,
): string {
  const { finding, needed, candidates, common, goodAt, partsAt, difference } = bisection;
  const { symbols, verdicts } = names;
  const place = symbolText(symbols, finding.eip);
  const lines = [
    `verdict   ${verdictName(verdicts[finding.verdict])}: ${finding.what}`,
    `          at ${formatInstant(finding.at)}, EIP ${hex32(finding.eip)}${place === null ? '' : ` <${place}>`}`,
    `events    ${needed.length} of ${plural(candidates, 'event')} needed${common > 0 ? `, beside ${common} in both traces` : ''}; 1-minimal: without any one of them the run is good`,
    '',
    ...needed.flatMap((event, number) => windowLines(event, number, names)),
    ...neighbourLines(bisection, goodAt),
    partsAt === null
      ? 'parts     the states never differ'
      : `parts     the states of the good and the bad run differ from ${formatInstant(partsAt)} on`,
    ...(difference === null
      ? ['differs   neither the interrupted code nor what the event starts goes another way']
      : differenceLines(bisection, difference, names)),
    ...(replay === null ? [] : ['', `replay    ${replay}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function windowLines(
  { event, window }: NeededEvent,
  number: number,
  names: ExploreNames,
): string[] {
  const { first, last, takenFirst, takenLast } = windowBounds(window);
  const count = last - first + 1;
  const open = [
    ...(window.isOpenBefore ? ['no end was found before it'] : []),
    ...(window.isOpenAfter ? ['no end was found behind it'] : []),
  ];
  const { classes, results } = window;
  const map = summariseExploration(classes, results);
  const from = Math.max(first, takenFirst - WINDOW_MOST / 2) - MARGIN;
  const rows = map.rows
    .filter(({ boundary: { at }, mark }) => at >= from && at <= last + MARGIN && mark !== 'untried')
    .slice(0, WINDOW_MOST);
  return [
    `event ${number + 1}   ${inputText(event.input)} at ${formatInstant(event.at)}`,
    `window    it makes the run bad from ${formatInstant(first)} to ${formatInstant(last)}: ${plural(count, 'instant')}${open.length > 0 ? ` (${open.join(', ')})` : ''}`,
    `          it is taken from ${formatInstant(takenFirst)} to ${formatInstant(takenLast)}`,
    '',
    ...renderMap({ ...map, rows }, names, false)
      .trimEnd()
      .split('\n'),
    '',
  ];
}

function neighbourLines({ needed }: Bisection, goodAt: Instant | null): string[] {
  const { event } = needed[needed.length - 1];
  const name = inputText(event.input);
  return [
    goodAt === null
      ? `good      without the ${name} at ${formatInstant(event.at)}`
      : `good      with the ${name} at ${formatInstant(goodAt)} instead of ${formatInstant(event.at)}`,
  ];
}

function differenceLines(
  { differenceIn }: Bisection,
  { good, bad }: FirstDifference,
  names: ExploreNames,
): string[] {
  const isWithout = differenceIn === 'without';
  const other = isWithout ? 'without the event' : 'in the good run';
  const whose = differenceIn === 'handler' ? ', in what the event starts' : '';
  const where = symbolText(names.symbols, bad.boundary.linear);
  const text = instructionText(bad.boundary, names.symbols);
  const isElsewhere = good.boundary.linear !== bad.boundary.linear;
  const head = `differs   ${text} at ${hex32(bad.boundary.linear)}${where === null ? '' : ` <${where}>`}${whose}: ${formatInstant(good.boundary.at)} ${other}, ${formatInstant(bad.boundary.at)} in the bad run`;
  if (isElsewhere) {
    const goes = symbolText(names.symbols, good.boundary.linear);
    return [
      `${head}; ${other} it is at ${hex32(good.boundary.linear)}${goes === null ? '' : ` <${goes}>`} there`,
    ];
  }
  const changed = Object.keys(bad.after).filter((name) => good.after[name] !== bad.after[name]);
  return [
    head,
    `          before  ${registersText(bad.before)}`,
    `          ${isWithout ? 'without' : 'good   '} ${changed.map((name) => valueText(name, good.after)).join(' ')}`,
    `          bad     ${changed.map((name) => valueText(name, bad.after)).join(' ')}`,
  ];
}

function registersText(registers: Registers): string {
  return Object.keys(registers)
    .map((name) => valueText(name, registers))
    .join(' ');
}

function valueText(name: string, registers: Registers): string {
  return `${name}=${name === 'cpl' ? registers[name] : hex32(registers[name])}`;
}
