/**
 * `npm run oracle -- FILE...`: runs files of oracle cases (JSON lines, gzipped or not; 32-bit user mode
 * or 16-bit real mode) on every engine that serves them, and prints what differs from the processor that made them, the differences that
 * are meant with their reasons, and `N passed, M failed`. Exits with 1 if any failed. With `--undefined`
 * what the manual leaves undefined in 32-bit cases is compared too.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { CpuVendor } from '../../src/cpu/model.js';
import type { OracleCase } from './case.js';
import type { Difference } from './differences.js';
import { isRealModeCase, readMasks } from './real-mode-case.js';
import { RealModeRig } from './real-mode-rig.js';
import { Rig } from './rig.js';

const SHOWN_PER_OPERATION = 2;

/**
 * What came of one case: as on the processor, as on it where vendors differ and the vendor is AMD,
 * different as it is meant to be, or failed.
 */
type Outcome = 'passed' | 'passed as AMD' | Difference | { readonly failure: string };

interface Run {
  /** What cases of which only the first failures are shown have in common. */
  readonly operation: string;
  readonly title: string;
  readonly outcome: Outcome;
  /** The processor's state before, as it is in the file. */
  readonly input: unknown;
}

/** The lines of a file, parsed. */
export function readCases(file: string): object[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as object);
}

function* runRealMode(file: string, lines: readonly object[]): Generator<Run> {
  const rig = new RealModeRig(readMasks(file));
  for (const test of lines.filter(isRealModeCase)) {
    const verdict = rig.check(test);
    const outcome =
      verdict === null ? 'passed' : typeof verdict === 'string' ? { failure: verdict } : verdict;
    const title = `${test.op} ${test.name} (${test.code})`;
    yield { operation: test.op, title, outcome, input: test.init };
  }
}

function* runUserMode(lines: readonly OracleCase[], comparesUndefined: boolean): Generator<Run> {
  const rigs = { intel: new Rig(), amd: new Rig('amd') };
  for (const line of lines) {
    const test = comparesUndefined ? { ...line, undefined: {}, sw_mask: 0xffff } : line;
    const title = `${test.id} ${test.group} ${test.asm} (${test.code})`;
    yield { operation: test.op, title, outcome: userModeOutcome(rigs, test), input: test.in };
  }
}

function userModeOutcome(rigs: Readonly<Record<CpuVendor, Rig>>, test: OracleCase): Outcome {
  const verdict = verdictOf(rigs.intel, test);
  if (verdict === null) return 'passed';
  // The cases don't say who made the processor, only where that matters.
  const isEither = test.op.includes('vendors differ');
  return isEither && verdictOf(rigs.amd, test) === null ? 'passed as AMD' : { failure: verdict };
}

function verdictOf(rig: Rig, test: OracleCase): string | null {
  const verdict = rig.check(test);
  return verdict === null && test.steps === undefined ? rig.checkCompiled(test) : verdict;
}

function runFile(file: string, comparesUndefined: boolean): Generator<Run> {
  const lines = readCases(file);
  return lines.some(isRealModeCase)
    ? runRealMode(file, lines)
    : runUserMode(lines as readonly OracleCase[], comparesUndefined);
}

function main(words: readonly string[]): void {
  const files = words.filter((word) => word !== '--undefined');
  const comparesUndefined = files.length < words.length;
  const counts = { passed: 0, asAmd: 0, failed: 0 };
  const meant = new Map<Difference, number>();
  const shown = new Map<string, number>();
  for (const file of files) {
    for (const { operation, title, outcome, input } of runFile(file, comparesUndefined)) {
      if (typeof outcome === 'string') {
        counts.passed += 1;
        if (outcome === 'passed as AMD') counts.asAmd += 1;
      } else if ('reason' in outcome) {
        meant.set(outcome, (meant.get(outcome) ?? 0) + 1);
      } else {
        counts.failed += 1;
        const times = shown.get(operation) ?? 0;
        shown.set(operation, times + 1);
        if (times < SHOWN_PER_OPERATION) {
          console.log(`${title}: ${outcome.failure}\n  in: ${JSON.stringify(input)}`);
        }
      }
    }
  }
  for (const [{ name, reason }, times] of meant) {
    console.log(`differs by design, ${times} cases, ${name}: ${reason}`);
  }
  if (counts.asAmd > 0) {
    console.log(`${counts.asAmd} cases, where vendors differ, passed with --cpu-vendor amd`);
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith('run.ts')) main(process.argv.slice(2));
