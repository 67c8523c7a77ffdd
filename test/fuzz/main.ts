/**
 * `npm run fuzz -- [--streams N] [--seconds S] [--seed N]`: runs streams of random
 * instructions, one seed each, and stops at the first that breaks a rule, hangs, or makes the host
 * throw. `--seed N --streams 1` runs one again.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { StreamRunner } from './stream.js';

const HANG_SECONDS = 60;
const REPORT_SECONDS = 30;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
  },
});
const first = Number(values.seed);
const streams = Number(values.streams);

/** Ends the program when the seed in the shared word stays the same for too long. */
function watch(seed: Int32Array): Worker {
  const code = `
    const { writeSync } = require('node:fs');
    const { workerData } = require('node:worker_threads');
    const seed = new Int32Array(workerData);
    let last = -1;
    setInterval(() => {
      const now = Atomics.load(seed, 0);
      if (now === last) {
        const again = 'npm run fuzz -- --seed ' + (now >>> 0) + ' --streams 1';
        writeSync(2, 'stream ' + (now >>> 0) + ' hangs; again with: ' + again + '\\n');
        process.kill(process.pid, 'SIGKILL');
      }
      last = now;
    }, ${HANG_SECONDS} * 1000);`;
  return new Worker(code, { eval: true, workerData: seed.buffer });
}

const current = new Int32Array(new SharedArrayBuffer(4));
const watchdog = watch(current);
const runner = new StreamRunner();
const start = performance.now();
let reported = start;
let failure: string | null = null;
let seed = first;
for (; seed < first + streams && failure === null; seed++) {
  Atomics.store(current, 0, seed);
  const problem = runner.run(seed);
  if (problem !== null) failure = `stream ${seed} ${problem}`;
  const now = performance.now();
  if (now - start > Number(values.seconds) * 1000) break;
  if (now - reported > REPORT_SECONDS * 1000) {
    reported = now;
    console.error(`... ${runner.tally.streams} streams, next seed ${seed + 1}`);
  }
}
await watchdog.terminate();
const seconds = (performance.now() - start) / 1000;
const { tally } = runner;
console.log(
  `${tally.streams} streams from seed ${first} in ${seconds.toFixed(1)} s (${Math.round(tally.streams / seconds)}/s): ` +
    `${tally.steps} steps, ${tally.faults} faults, ${tally.shutdowns} shutdowns, ${tally.halts} halts, ${tally.compiled} compiled`,
);
if (failure !== null) {
  console.log(`${failure}\nagain with: npm run fuzz -- --seed ${seed - 1} --streams 1`);
  process.exitCode = 1;
}
