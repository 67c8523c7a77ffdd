/**
 * How many placements a second `holdoff explore` tries, on one worker and on two, and what it costs to come
 * back to a checkpoint: `npm run bench:search -- INSTANTS`. It runs what `npm run build` made. The guest is
 * guest/window under 64 MiB, and each placement an NMI, which is let in at every boundary: nothing is pruned.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setUp } from '../src/cli/machine-setup.js';
import { inputFromTrace } from '../src/cli/search-input.js';
import { BaseRun } from '../src/search/base-run.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TRACE = `${ROOT}traces/sti-sysexit-padding/race.trace`;
const PROGRAM = `${ROOT}dist/cli/main.js`;
const FIRST = 40_000;
const INSTANTS = Number(process.argv[2] ?? 10_000);
/** The smaller search, whose time is taken off for the rate of a search that is under way. */
const PART = 5;
const BUDGETS = [1_000, 100_000];

function restoreCost(): void {
  const source = inputFromTrace(TRACE);
  const { machine } = setUp(source.start);
  const base = new BaseRun(machine, source.past);
  base.seek(FIRST);
  const here = base.mark();
  const times: number[] = [];
  for (let round = 0; round < 2000; round++) {
    base.seek(FIRST + 1000);
    const began = performance.now();
    base.back(here);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const [median, late] = [0.5, 0.99].map((part) => times[Math.floor(times.length * part)]);
  print(
    `restore of a checkpoint, 64 MiB, 1,000 steps later: median ${microseconds(median)}, 99 % ${microseconds(late)}`,
  );
}

/** Seconds that the whole command takes. */
function secondsOf(instants: number, budget: number, workers: number): number {
  const words = ['explore', `${ROOT}guest/window/window.elf`, '--memory', '64M', '--nmi'];
  const range = ['--from', `@${FIRST}`, '--to', `@${FIRST + instants - 1}`];
  const limits = ['--max-instructions', '300000', '--budget', String(budget), '--bad-crash'];
  const how = ['--workers', String(workers), '--json'];
  const began = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, ...words, ...range, ...limits, ...how],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`holdoff explore ended with ${status}: ${stderr}`);
  return seconds;
}

function compare(budget: number): void {
  const whole: number[] = [];
  const rates: number[] = [];
  for (const workers of [1, 2]) {
    const part = Math.ceil(INSTANTS / PART);
    const few = secondsOf(part, budget, workers);
    const all = secondsOf(INSTANTS, budget, workers);
    whole.push(all);
    rates.push((INSTANTS - part) / (all - few));
  }
  const [one, two] = whole;
  print(`${INSTANTS} placements of ${budget} instructions:`);
  print(
    `  the command from its start to its end: ${one.toFixed(1)} s on one worker, ${two.toFixed(1)} s on two (${(one / two).toFixed(2)} times as fast)`,
  );
  print(
    `  under way: ${rates[0].toFixed(0)}/s on one, ${rates[1].toFixed(0)}/s on two (${(rates[1] / rates[0]).toFixed(2)} times)`,
  );
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} us`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (!existsSync(PROGRAM)) throw new Error('nothing is built: npm run build');
restoreCost();
for (const budget of BUDGETS) compare(budget);
