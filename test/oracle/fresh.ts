/**
 * `npm run oracle:fresh -- [--seed N] [--scale N] [--sets N] [--from DIR]`: has the processor at hand
 * execute new cases, 2,000 single instructions and the single-step traces, and runs them as
 * `npm run oracle` does. The seed is the date's unless given. A scale of 80 makes 20,720 cases; of several
 * sets each has the seed after that of the one before. Without the generator (`../shared/oracle` beside the project), python3 or a
 * gcc with a 32-bit target it says what is missing, and is content.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const PROJECT = resolve(import.meta.dirname, '../..');
const GENERATOR = resolve(PROJECT, '../shared/oracle');
const FILES = ['Makefile', 'oracle32.c', 'gen_cases.py'];
/** The generator's `--scale` that gives 2,006 cases. */
const SCALE = '7.75';

function today(): number {
  const now = new Date();
  return now.getUTCFullYear() * 10_000 + (now.getUTCMonth() + 1) * 100 + now.getUTCDate();
}

/** What is missing to make cases, or null. */
function missing(generator: string, folder: string): string | null {
  if (!existsSync(join(generator, 'gen_cases.py'))) return `no generator of cases in ${generator}`;
  if (spawnSync('python3', ['--version']).status !== 0) return 'no python3';
  const input = 'int main(void) { return 0; }';
  const probe = join(folder, 'probe');
  const flags = ['-m32', '-static', '-x', 'c', '-', '-o', probe];
  if (spawnSync('gcc', flags, { input }).status !== 0) return 'no gcc that makes 32-bit programs';
  if (spawnSync(probe).status !== 0) return 'a kernel that runs no 32-bit programs';
  return null;
}

function run(command: string, args: readonly string[], folder: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function makeRunner(generator: string, folder: string): void {
  for (const file of FILES) cpSync(join(generator, file), join(folder, file));
  run('make', [], folder);
}

function makeCases(folder: string, seed: string, scale: string): string[] {
  const oracle = ['--oracle', join(folder, 'oracle32'), '--seed', seed];
  const single = join(folder, 'cases.jsonl.gz');
  const steps = join(folder, 'steps.jsonl.gz');
  run('python3', ['gen_cases.py', ...oracle, '--scale', scale, '--out', single], folder);
  run('python3', ['gen_cases.py', ...oracle, '--steps', '--out', steps], folder);
  return [single, steps];
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(today()) },
    scale: { type: 'string', default: SCALE },
    sets: { type: 'string', default: '1' },
    from: { type: 'string', default: GENERATOR },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'holdoff-oracle-'));
try {
  const lack = missing(values.from, folder);
  if (lack === null) {
    makeRunner(values.from, folder);
    for (let set = 0; set < Number(values.sets); set++) {
      const seed = String(Number(values.seed) + set);
      const files = makeCases(folder, seed, values.scale);
      console.log(`fresh cases of this processor, seed ${seed}:`);
      const runner = join(import.meta.dirname, 'run.ts');
      const options = [...process.execArgv, runner, ...files];
      const { status } = spawnSync(process.execPath, options, { stdio: 'inherit' });
      if (status !== 0) process.exitCode = status ?? 1;
    }
  } else {
    console.log(`oracle:fresh skipped: ${lack}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
