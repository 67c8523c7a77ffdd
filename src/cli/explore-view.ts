/** What `holdoff explore` prints: the map, totals, and the failures. Rendering alone. */
import { Chalk, type ChalkInstance } from 'chalk';
import type { SymbolTable } from '../machine/symbols.js';
import { formatInstant } from '../replay/instant.js';
import type { Boundary } from '../search/boundary.js';
import type { Exploration, Failure, Mark, PlacementRow } from '../search/exploration.js';
import { type VerdictSpec, verdictName } from '../search/verdict.js';
import { disassemble, symbolText } from './disassembly.js';
import { hex32, plural } from './numbers.js';
import { shadowName } from './window-view.js';

/** How boundaries and failures are named. */
export interface ExploreNames {
  readonly symbols: SymbolTable;
  readonly verdicts: readonly VerdictSpec[];
}

/** A map of more boundaries has a row an instruction, not a row a boundary. */
const ROWS_MOST = 300;

/** `sti_sysexit_sti+0x2  nop`. */
export function instructionText({ bytes, eip, bits }: Boundary, symbols: SymbolTable): string {
  return disassemble(Uint8Array.from(bytes), eip, bits, symbols).text;
}

/** The map as text, each line ending in a newline. */
export function renderMap(
  { rows, failures }: Exploration,
  names: ExploreNames,
  isColoured: boolean,
): string {
  const chalk = new Chalk({ level: isColoured ? 1 : 0 });
  if (rows.length > ROWS_MOST) return renderByAddress(rows, names, chalk);
  const { symbols } = names;
  const lines = rows.map((row): string[] => [
    formatInstant(row.boundary.at),
    String(row.boundary.cpl),
    row.boundary.isInterruptible ? '1' : '0',
    shadowName(row.boundary.shadow),
    hex32(row.boundary.linear),
    symbolText(symbols, row.boundary.linear) ?? '',
    instructionText(row.boundary, symbols),
    markText(row, failures.length > 1),
  ]);
  const head = ['instant', 'CPL', 'IF', 'shadow', 'EIP', 'where', 'instruction', 'placed here'];
  return table([head, ...lines], (text, place) =>
    place === 0 ? chalk.bold(text) : paint(rows[place - 1].mark, chalk)(text),
  );
}

/** Totals, bounds and failures as text, each line ending in a newline. */
export function renderTotals(exploration: Exploration, names: ExploreNames): string {
  const { totals, firstBad, lastBad, failures } = exploration;
  const counts = [
    `${plural(totals.good, 'boundary').replace(/boundarys$/, 'boundaries')} good`,
    `${totals.bad} bad`,
    `${totals.unreachable} unreachable`,
    ...(totals.lost > 0 ? [`${totals.lost} without effect`] : []),
    ...(totals.untried > 0 ? [`${totals.untried} not tried`] : []),
  ];
  const pruned = totals.unreachable + totals.lost;
  const lines = [
    `total     ${plural(totals.placements, 'placement')}: ${counts.join(', ')}`,
    `runs      ${totals.runs}; ${pruned} pruned${prunedText(exploration)}`,
    ...bound('first bad', firstBad, names),
    ...(lastBad === firstBad ? [] : bound('last bad', lastBad, names)),
    ...failures.map((failure, place) => `failure ${place + 1} ${failureText(failure, names)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** `--bad-exit ==67: the guest exited with status 67 at 00100740 <...>`. */
export function failureText({ finding, runs, runAt }: Failure, names: ExploreNames): string {
  const where = symbolText(names.symbols, finding.eip);
  const place = `EIP ${hex32(finding.eip)}${where === null ? '' : ` <${where}>`}`;
  return (
    `${verdictName(names.verdicts[finding.verdict])}: ${finding.what}, at ${place}; ` +
    `${plural(runs, 'run')}, the first placed at ${formatInstant(runAt)}`
  );
}

function prunedText({ totals }: Exploration): string {
  const reasons = [
    ...(totals.unreachable > 0
      ? [`${totals.unreachable} held off to a later boundary, and equal to the run from there`]
      : []),
    ...(totals.lost > 0 ? [`${totals.lost} changed nothing: the request waited already`] : []),
  ];
  return reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
}

function bound(name: string, row: PlacementRow | null, { symbols }: ExploreNames): string[] {
  if (row === null) return [];
  const { at, linear } = row.boundary;
  const where = symbolText(symbols, linear);
  const place = `${hex32(linear)}${where === null ? '' : ` <${where}>`}`;
  return [
    `${name.padEnd(9)} ${formatInstant(at)}, before ${instructionText(row.boundary, symbols)} at ${place}`,
  ];
}

function markText(row: PlacementRow, areManyFailures: boolean): string {
  const which = row.failure !== null && areManyFailures ? ` (failure ${row.failure + 1})` : '';
  const fate = row.failure === null ? '' : `: bad${which}`;
  switch (row.mark) {
    case 'good':
      return 'good';
    case 'bad':
      return `BAD${which}`;
    case 'unreachable':
      return `held off to ${formatInstant(row.runAt)}${fate}`;
    case 'lost':
      return 'no effect';
    case 'untried':
      return 'not tried';
  }
}

function paint(mark: Mark, chalk: ChalkInstance): (text: string) => string {
  switch (mark) {
    case 'bad':
      return chalk.bold.red;
    case 'good':
      return chalk.green;
    case 'unreachable':
    case 'lost':
    case 'untried':
      return chalk.dim;
  }
}

/** One row an instruction, with how many of its boundaries came to what. */
function renderByAddress(
  rows: readonly PlacementRow[],
  { symbols }: ExploreNames,
  chalk: ChalkInstance,
): string {
  const byAddress = new Map<number, PlacementRow[]>();
  for (const row of rows) {
    const { linear } = row.boundary;
    byAddress.set(linear, [...(byAddress.get(linear) ?? []), row]);
  }
  const groups = [...byAddress].sort(([a], [b]) => a - b).map(([, group]) => group);
  const count = (group: PlacementRow[], mark: Mark): string => {
    const found = group.filter((row) => row.mark === mark).length;
    return found === 0 ? '-' : String(found);
  };
  const lines = groups.map((group) => [
    hex32(group[0].boundary.linear),
    symbolText(symbols, group[0].boundary.linear) ?? '',
    instructionText(group[0].boundary, symbols),
    String(group.length),
    count(group, 'good'),
    count(group, 'bad'),
    count(group, 'unreachable'),
  ]);
  const head = ['EIP', 'where', 'instruction', 'placed', 'good', 'BAD', 'held off'];
  return table([head, ...lines], (text, place) => {
    if (place === 0) return chalk.bold(text);
    const isBad = groups[place - 1].some(({ mark }) => mark === 'bad');
    return isBad ? chalk.bold.red(text) : text;
  });
}

/** Columns side by side, the first row above them; each line ending in a newline. */
export function table(
  rows: readonly (readonly string[])[],
  paintRow: (text: string, place: number) => string,
): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row, place) => {
      const cells = row.map((cell, column) => cell.padEnd(widths[column]));
      return `${paintRow(cells.join('  ').trimEnd(), place)}\n`;
    })
    .join('');
}
