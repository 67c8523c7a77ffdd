/**
 * How many placements a second a search tries, on one worker and on two, and what it costs to come back to
 * a checkpoint: `npm run bench:search`. The guest is guest/window under 64 MiB, the window
 * 10,000 instants of it, and each placement an NMI, which is let in at every boundary.
 */
import { fileURLToPath } from 'node:url';
import { setUp } from '../src/cli/machine-setup.js';
import { ProgressBar } from '../src/cli/progress-bar.js';
import { localCrew } from '../src/cli/search-crew.js';
import { dispatch } from '../src/cli/search-dispatch.js';
import { inputFromTrace } from '../src/cli/search-input.js';
import { type SearchContext } from '../src/cli/search-work.js';
import { StopSignal } from '../src/cli/stop-signal.js';
import { BaseRun } from '../src/search/base-run.js';
import { searchBase } from '../src/search/search-base.js';
import { compileVerdicts } from '../src/search/verdict.js';

const TRACE = fileURLToPath(new URL('../traces/sti-sysexit-padding/race.trace', import.meta.url));
const FIRST = 40_000;
const INSTANTS = Number(process.argv[2] ?? 10_000);
const BUDGETS = [1_000, 100_000];

const source = inputFromTrace(TRACE);
const verdicts = [{ kind: 'crash' }] as const;
const compiled = compileVerdicts(verdicts, source.symbols);
const { run } = searchBase(source.makeGuest, source.past, compiled, 'idle', null);

function restoreCost(): void {
  const { machine } = setUp(source.start);
  const base = new BaseRun(machine, run.past);
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

/** Placements a second by the clock, and by the time that all processors spent on them. */
interface Rates {
  readonly wall: number;
  readonly cpu: number;
}

async function placements(budget: number, workers: number): Promise<Rates> {
  const context: SearchContext = {
    start: source.start,
    events: run.past.events,
    lastInstant: run.past.lastInstant,
    begin: run.past.begin,
    serial: { instants: run.serial.instants, bytes: run.serial.bytes },
    verdicts,
    budget,
    feed: 'idle',
    input: { kind: 'nmi' },
  };
  const crew = localCrew(context, workers);
  const stop = new StopSignal();
  const bar = new ProgressBar(process.stderr, 'runs', () => performance.now());
  const instants = Array.from({ length: INSTANTS }, (_, step) => FIRST + step);
  // Starting threads and compiling the guest's code is no placement; the first thread that is ready must
  // not take all that the others should warm up with.
  for (let round = 0; round < 4; round++) {
    await dispatch(instants.slice(0, 500), new Map(), crew, stop, bar);
  }
  const began = performance.now();
  const spent = process.cpuUsage();
  await dispatch(instants, new Map(), crew, stop, bar);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(spent);
  bar.clear();
  stop.release();
  await crew.close();
  return { wall: INSTANTS / seconds, cpu: (INSTANTS / (user + system)) * 1e6 };
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} us`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

restoreCost();
for (const budget of BUDGETS) {
  const one = await placements(budget, 1);
  const two = await placements(budget, 2);
  const ratio = (two.wall / one.wall).toFixed(2);
  print(
    `${INSTANTS} placements of ${budget} instructions: ${one.wall.toFixed(0)}/s on one worker, ${two.wall.toFixed(0)}/s on two (${ratio} times)`,
  );
  print(
    `  by processor time: ${one.cpu.toFixed(0)} and ${two.cpu.toFixed(0)} a second of one core`,
  );
}
