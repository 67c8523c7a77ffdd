import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { holdoff } from '../cli/holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As bench/guest/README.md has them. */
const CHECKSUMS = [
  'sieve 00190834',
  'sha256 a566f344',
  'sort 0001a1ca',
  'interp 25138c61',
  'muldiv 0b09d905',
  'string 0000297c',
  'trap 000f4240',
  'sieve-paged 00190834',
  'cr3 00004e20',
  'tick a566f344',
];

test('the benchmark guest records under the host clock to its end, and its replay is the same', async () => {
  const path = join(folder, 'bench.trace');
  const image = packagePath('bench/guest/bench.elf');
  const recorded = await holdoff(['record', image, '-o', path, '--clock', 'host']);
  expect(recorded.status, recorded.stderr).toBe(99);
  const lines = recorded.stdout.toString().split('\r\n');
  expect(lines[0]).toBe('READY');
  const ends = lines.filter((line) => line.startsWith('END '));
  expect(ends).toEqual(CHECKSUMS.map((checksum) => `END ${checksum}`));
  expect(lines.slice(-3)).toEqual(['TICKS 1', 'DONE', '']);

  const replayed = await holdoff(['replay', path]);
  expect(replayed.status, replayed.stderr).toBe(99);
  expect(replayed.stdout).toEqual(recorded.stdout);
  const info = await holdoff(['info', path, '--json']);
  const { digest } = JSON.parse(info.stdout.toString()) as { digest: string };
  expect(replayed.stderr).toContain(digest);
}, 1_800_000);
