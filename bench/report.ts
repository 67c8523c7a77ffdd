/** What the measurements come to: medians, ratios of runs of one round, and a table of text. */
import type { Measured } from './measure.js';

/** Wall time, or processor time, which other work on the machine disturbs less. */
export type Time = 'wall' | 'cpu';

/** All runs of one peer, one a round. */
export type Runs = readonly Measured[];

/** What is read off one run: a time in milliseconds or another figure, NaN where it isn't there. */
export type Reading = (run: Measured) => number;

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The mean of ratios; NaN of none. */
export function geometricMean(values: readonly number[]): number {
  const there = values.filter((value) => !Number.isNaN(value));
  return Math.exp(there.reduce((sum, value) => sum + Math.log(value), 0) / there.length);
}

/** The median over all rounds of one peer's reading by another's in the same round. */
export function ratio(reading: Reading, of: Runs, to: Runs): number {
  const rounds = Math.min(of.length, to.length);
  const ratios = Array.from(
    { length: rounds },
    (_, round) => reading(of[round]) / reading(to[round]),
  );
  return median(ratios);
}

/** The time between two lines of the guest's. The native program says it in one line by itself. */
export function between(begin: string, end: string, time: Time): Reading {
  return (run) => {
    const native = run.stamps.find(({ line }) => line.startsWith(`${begin.split(' ')[1]} us `));
    if (native !== undefined) return Number(native.line.split(' ')[2]) / 1e3;
    const first = run.stamps.find(({ line }) => line === begin);
    const last = run.stamps.find(({ line }) => line.startsWith(end));
    return first === undefined || last === undefined ? Number.NaN : last[time] - first[time];
  };
}

/** Milliseconds as seconds, to three digits. */
export function seconds(milliseconds: number): string {
  return Number.isNaN(milliseconds) ? '' : figure(milliseconds / 1e3);
}

/** To three digits, without an exponent. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** A table as Markdown has it, its columns aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length), 3));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}
