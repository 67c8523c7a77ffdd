/** What `holdoff explore --pairs` prints. Rendering alone. */
import { Chalk } from 'chalk';
import type { SymbolTable } from '../machine/symbols.js';
import { formatInstant } from '../replay/instant.js';
import type {
  FirstRow,
  PairExploration,
  PairFailure,
  PairRow,
} from '../search/pair-exploration.js';
import { verdictName } from '../search/verdict.js';
import { symbolText } from './disassembly.js';
import { type ExploreNames, instructionText, table } from './explore-view.js';
import { groupDigits, hex32, plural } from './numbers.js';
import { inputText } from './search-options.js';

/** Windows that are listed. */
const WINDOWS_MOST = 60;
/** First instants that are listed one by one. */
const ROWS_MOST = 300;

/** Neighbouring pairs with one first instant that fail in the same way. */
interface PairWindow {
  readonly row: FirstRow;
  readonly pairs: readonly PairRow[];
}

/** A row for each first instant, and the windows that no single placement explains. */
export function renderPairs(
  exploration: PairExploration,
  names: ExploreNames,
  isColoured: boolean,
): string {
  const { inputs, rows } = exploration;
  const chalk = new Chalk({ level: isColoured ? 1 : 0 });
  const { symbols } = names;
  const texts = inputs.map(inputText);
  const parts: string[] = [];
  if (rows.length <= ROWS_MOST) {
    const head = [
      'instant',
      'first',
      'EIP',
      'where',
      'instruction',
      'alone',
      'pairs',
      'bad',
      'BOTH',
    ];
    const lines = rows.map((row) => {
      const { at, linear } = row.boundary;
      const bad = row.pairs.filter(({ mark }) => mark === 'bad');
      return [
        formatInstant(at),
        texts[row.first],
        hex32(linear),
        symbolText(symbols, linear) ?? '',
        instructionText(row.boundary, symbols),
        row.runAt === at ? row.alone : `${row.alone}, held off to ${formatInstant(row.runAt)}`,
        String(row.pairs.length + row.unknown),
        countText(bad.length),
        countText(bad.filter(({ explainedBy }) => explainedBy === null).length),
      ];
    });
    parts.push(
      table([head, ...lines], (text, place) => {
        if (place === 0) return chalk.bold(text);
        const takesBoth = rows[place - 1].pairs.some(isUnexplained);
        return takesBoth ? chalk.bold.red(text) : text;
      }),
    );
  }
  const windows = rows.flatMap(windowsOf);
  if (windows.length > 0) {
    parts.push('Pairs that fail, and that no single placement explains:\n');
    const head = ['first', 'at', 'before', 'second', 'from', 'to', 'before'];
    const lines = windows
      .slice(0, WINDOWS_MOST)
      .map(({ row, pairs }) => [
        texts[row.first],
        formatInstant(row.boundary.at),
        placeText(row.boundary.linear, symbols),
        texts[row.first === 0 ? 1 : 0],
        formatInstant(pairs[0].boundary.at),
        formatInstant(pairs[pairs.length - 1].boundary.at),
        rangeText(pairs, symbols),
      ]);
    const left = windows.length - lines.length;
    const more = left > 0 ? `and ${groupDigits(left)} more windows: --json has all pairs\n` : '';
    parts.push(table([head, ...lines], (text) => text) + more);
  }
  return parts.join('\n');
}

/** Totals and failures as text, each line ending in a newline. */
export function renderPairTotals(
  { totals, failures, rows }: PairExploration,
  names: ExploreNames,
): string {
  const { pairs, good, bad, unexplained, untried, runs, pruned } = totals;
  const reasons = [
    [pruned['first held'], 'whose first is held off to where another pair has it'],
    [pruned['second held'], 'whose second is held off to where another pair has it'],
    [pruned['no effect'], 'of which one changes nothing'],
  ] as const;
  const all = reasons.reduce((sum, [count]) => sum + count, 0);
  const why = reasons
    .filter(([count]) => count > 0)
    .map(([count, text]) => `${groupDigits(count)} ${text}`);
  const counts = [
    `${groupDigits(good)} good`,
    `${groupDigits(bad)} bad`,
    ...(untried > 0 ? [`${groupDigits(untried)} not tried`] : []),
  ];
  const alone = rows.filter((row) => row.alone === 'bad').length;
  return [
    `total     ${plural(pairs, 'pair')}: ${counts.join(', ')}`,
    `both      ${plural(unexplained, 'bad pair')} that no single placement explains; ${plural(alone, 'first instant')} bad alone`,
    `runs      ${groupDigits(runs)}; ${plural(all, 'pair')} pruned${why.length === 0 ? '' : ` (${why.join('; ')})`}`,
    ...failures.map((failure, place) => `failure ${place + 1} ${failureText(failure, names)}`),
    '',
  ].join('\n');
}

function failureText(
  { finding, placed, runs, takesBoth }: PairFailure,
  { symbols, verdicts }: ExploreNames,
): string {
  const where = placed.map(({ at, input }) => `${inputText(input)} at ${formatInstant(at)}`);
  return (
    `${verdictName(verdicts[finding.verdict])}: ${finding.what}, at EIP ${placeText(finding.eip, symbols)}; ` +
    `${plural(runs, 'run')}, the first with ${where.join(' and ')}${takesBoth ? '; it takes both' : ''}`
  );
}

function windowsOf(row: FirstRow): PairWindow[] {
  const windows: { row: FirstRow; pairs: PairRow[] }[] = [];
  let present: { row: FirstRow; pairs: PairRow[] } | null = null;
  for (const pair of row.pairs) {
    if (!isUnexplained(pair)) present = null;
    else if (present !== null && present.pairs[0].failure === pair.failure)
      present.pairs.push(pair);
    else {
      present = { row, pairs: [pair] };
      windows.push(present);
    }
  }
  return windows;
}

function isUnexplained({ mark, explainedBy }: PairRow): boolean {
  return mark === 'bad' && explainedBy === null;
}

function countText(count: number): string {
  return count === 0 ? '-' : String(count);
}

function placeText(linear: number, symbols: SymbolTable): string {
  const where = symbolText(symbols, linear);
  return where === null ? hex32(linear) : `${hex32(linear)} <${where}>`;
}

/** `nmi to nmi_restore`. */
function rangeText(pairs: readonly PairRow[], symbols: SymbolTable): string {
  const ends = [pairs[0], pairs[pairs.length - 1]].map(
    ({ boundary: { linear } }) => symbolText(symbols, linear) ?? hex32(linear),
  );
  return ends[0] === ends[1] ? ends[0] : ends.join(' to ');
}
