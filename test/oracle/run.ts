/**
 * `npm run oracle -- FILE...`: runs files of oracle cases (JSON lines, gzipped or not) and prints what
 * differs from the processor that made them, then `N passed, M failed, K skipped`. Exits with 1 if any failed.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { OracleCase } from './case.js';
import { Rig } from './rig.js';

const SHOWN_PER_OPERATION = 2;

export function readCases(file: string): OracleCase[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as OracleCase);
}

function main(files: readonly string[]): void {
  const rig = new Rig();
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const shown = new Map<string, number>();
  for (const file of files) {
    for (const test of readCases(file)) {
      if (test.in.fpu !== undefined) {
        skipped += 1;
        continue;
      }
      const verdict = rig.check(test);
      if (verdict === null) {
        passed += 1;
        continue;
      }
      failed += 1;
      const times = shown.get(test.op) ?? 0;
      shown.set(test.op, times + 1);
      if (times < SHOWN_PER_OPERATION) {
        console.log(`${test.id} ${test.group} ${test.asm} (${test.code}): ${verdict}`);
        console.log(`  in: ${JSON.stringify(test.in)}`);
      }
    }
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith('run.ts')) main(process.argv.slice(2));
