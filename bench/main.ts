/**
 * Measures holdoff and what it is compared with: `npm run bench -- [--rounds N] [--only kernels|linux]
 * [--peers NAME,...] [--time wall|cpu] [--json FILE]`. See bench/README.md.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { parsePositiveCount } from '../src/cli/machine-options.js';
import { type Measured, measure } from './measure.js';
import { buildHoldoff, buildNative, hasLinux, type Peer, peers, type Workload } from './peers.js';
import {
  between,
  figure,
  geometricMean,
  median,
  type Reading,
  ratio,
  seconds,
  type Time,
  table,
} from './report.js';

// biome-ignore format: a list
const KERNELS = ['sieve', 'sha256', 'sort', 'interp', 'muldiv', 'string', 'trap', 'sieve-paged', 'cr3', 'tick'];
/** What a guest prints when it has done its work; a run without it doesn't count. */
const LAST_LINES: Readonly<Record<Workload, string>> = {
  kernels: 'DONE',
  linux: 'GUEST-INIT-DONE',
};
/** Seconds for one run. */
const TIMEOUT = 900;
const DEFAULT_JSON = 'build/bench.json';

interface Options {
  readonly rounds: number;
  readonly only?: Workload;
  readonly peers?: string;
  readonly time: Time;
  readonly json: string;
}

/** By name; only those peers of which there is a run. */
type Results = ReadonlyMap<string, Measured[]>;

/** Interleaves the peers, so that what disturbs one round disturbs all alike. */
async function runAll(
  workload: Workload,
  chosen: readonly Peer[],
  rounds: number,
): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-bench-'));
  const results = new Map<string, Measured[]>();
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const peer of chosen) {
        const command = peer.command(workload, folder);
        if (command === null) continue;
        process.stderr.write(`${workload}, round ${round} of ${rounds}: ${peer.name} ...`);
        const run = await measure(command, TIMEOUT);
        const isWhole =
          peer.name === 'native' ||
          run.stamps.some(({ line }) => line.startsWith(LAST_LINES[workload]));
        process.stderr.write(isWhole ? ` ${seconds(run.wall)} s\n` : ' did not get to its end\n');
        if (isWhole) results.set(peer.name, [...(results.get(peer.name) ?? []), run]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

/** A row of medians, one for each peer. */
function row(name: string, results: Results, reading: Reading, format = seconds): string[] {
  return [name, ...[...results.values()].map((runs) => format(median(runs.map(reading))))];
}

function kernelTable(results: Results, time: Time): string {
  const rows = KERNELS.map((name) =>
    row(name, results, between(`BEGIN ${name}`, `END ${name} `, time)),
  );
  return table([
    [`seconds (${time})`, ...results.keys()],
    ...rows,
    row('all, start included', results, (run) => run[time]),
    row('memory, MiB', results, (run) => run.memory, figure),
  ]);
}

function linuxTable(results: Results, time: Time): string {
  const untilInit: Reading = (run) => {
    const init = run.stamps.find(({ line }) => line.startsWith(LAST_LINES.linux));
    return init === undefined ? Number.NaN : init[time] - (run.stamps.at(0)?.[time] ?? Number.NaN);
  };
  return table([
    [`seconds (${time})`, ...results.keys()],
    row('first line to init', results, untilInit),
    row('all, start included', results, (run) => run[time]),
    row('memory, MiB', results, (run) => run.memory, figure),
  ]);
}

/** The ratios that the project has set itself. */
function ratios(results: Results, readings: readonly [string, Reading][]): string {
  const rows: string[][] = [];
  const compare = (what: string, of: string, to: string, target: string): void => {
    const [a, b] = [results.get(of), results.get(to)];
    if (a === undefined || b === undefined) return;
    const each = readings.map(([name, reading]) => ({ name, value: ratio(reading, a, b) }));
    const there = each.filter(({ value }) => !Number.isNaN(value));
    if (there.length === 0) return;
    const worst = there.reduce((most, one) => (one.value > most.value ? one : most));
    const mean = geometricMean(there.map(({ value }) => value));
    rows.push([what, figure(mean), `${figure(worst.value)} ${worst.name}`, target]);
  };
  compare('record / QEMU record', 'record', 'QEMU record', 'each < 1, mean < 0.67');
  compare('replay / QEMU replay', 'replay', 'QEMU replay', '');
  compare('record / v86', 'record', 'v86', 'each < 1');
  compare('record / run', 'record', 'run', '< 1.05');
  compare('replay / record', 'replay', 'record', '< 1.05');
  compare('run / QEMU', 'run', 'QEMU', '');
  compare('run / native', 'run', 'native', '');
  return table([['ratio of times', 'mean', 'worst', 'target'], ...rows]);
}

function traceLine(results: Results): string {
  const runs = results.get('record') ?? [];
  const bytes = median(runs.map(({ result }) => result.eventBytes ?? Number.NaN));
  const whole = median(runs.map(({ result }) => result.traceBytes ?? Number.NaN));
  const retired = median(runs.map(({ result }) => result.retired ?? Number.NaN));
  if (Number.isNaN(bytes)) return '';
  const rate = figure(bytes / (retired / 1e6));
  return `Trace: ${whole} bytes, ${bytes} of them events, for ${figure(retired / 1e6)} million instructions, ${rate} bytes a million.`;
}

async function main(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-bench-'));
  await buildHoldoff();
  const wanted = options.peers?.split(',');
  const all = peers(buildNative(folder));
  const chosen = all.filter(({ name }) => wanted === undefined || wanted.includes(name));
  const { time, rounds } = options;
  const workloads = (['kernels', 'linux'] as const).filter(
    (workload) => options.only === undefined || options.only === workload,
  );
  const output: Record<string, unknown> = {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus().at(0)?.model,
    cores: cpus().length,
  };
  process.stdout.write(`Node ${process.version}, ${cpus().length} cores, ${cpus().at(0)?.model}\n`);
  for (const workload of workloads) {
    if (workload === 'linux' && !hasLinux) {
      process.stderr.write(
        'no Debian kernel here, so Linux is left out; see npm run linux:fetch\n',
      );
      continue;
    }
    const results = await runAll(workload, chosen, rounds);
    const isLinux = workload === 'linux';
    const readings = isLinux
      ? [['boot', (run) => run[time]] satisfies [string, Reading]]
      : KERNELS.map((name): [string, Reading] => [
          name,
          between(`BEGIN ${name}`, `END ${name} `, time),
        ]);
    const text = isLinux ? linuxTable(results, time) : kernelTable(results, time);
    process.stdout.write(`\n${text}\n\n${ratios(results, readings)}\n\n${traceLine(results)}\n`);
    output[workload] = Object.fromEntries(results);
  }
  rmSync(folder, { recursive: true });
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify(output, null, 1)}\n`);
  process.stderr.write(`wrote ${options.json}\n`);
}

await new Command('bench')
  .addOption(new Option('--rounds <n>', 'runs of each').argParser(parsePositiveCount).default(5))
  .addOption(new Option('--only <workload>', 'one of the two').choices(['kernels', 'linux']))
  .option('--peers <names>', 'only these, with commas between them')
  .addOption(new Option('--time <time>', 'what is shown').choices(['wall', 'cpu']).default('wall'))
  .option('--json <file>', 'where all runs are written', DEFAULT_JSON)
  .action(main)
  .parseAsync();
