/** `holdoff explore --pairs`: its report, whoever does the work, and what it refuses. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { finished, holdoff, start } from './holdoff.js';

const IMAGE = fileURLToPath(new URL('../../guest/pairs/nested-nmi-wrong.elf', import.meta.url));
const LOST = 67;
const folder = mkdtempSync(join(tmpdir(), 'holdoff-pairs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EVENTS = ['explore', IMAGE, '--memory', '4M', '--nmi', '--pairs', '--bad-exit', '!=99'];
const SEARCH = [...EVENTS, '--around', 'race_begin', '--radius', '4', '--within', '10'];

test('the report is the same on one worker, on two, and when it goes on after Ctrl-C', async () => {
  const one = await holdoff([...SEARCH, '--workers', '1', '--out', 'found'], '', folder);
  expect(one.status).toBe(0);
  const text = one.stdout.toString();
  expect(text).toContain('Pairs that fail, and that no single placement explains:');
  expect(text).toMatch(/NMI {4}@629 {2}001001c2 <race_begin> +NMI +@630 +@637 +nmi to nmi_restore/);
  expect(text).toContain('whose second is held off to where another pair has it');
  expect(text).toContain('; it takes both');
  const trace = /^trace {5}(.*)$/m.exec(text)![1];
  expect((await holdoff(['replay', trace], '', folder)).status).toBe(LOST);
  const report = text.replace(/^trace.*\n/gm, '');

  const child = start([...SEARCH, '--workers', '1'], folder);
  child.stdin.end();
  child.stderr.once('data', () => child.kill('SIGINT'));
  const stopped = await finished(child);
  expect(stopped.status).toBe(130);
  expect(stopped.stdout.toString()).toMatch(/\d not tried/);
  const [resumed, two] = await Promise.all([
    holdoff([...SEARCH, '--workers', '1', '--resume'], '', folder),
    holdoff([...SEARCH, '--workers', '2'], '', folder),
  ]);
  expect(resumed.stdout.toString()).toBe(report);
  expect(two.stdout.toString()).toBe(report);
});

test('more pairs than anybody waits for are refused, and what makes no sense', async () => {
  const many = await holdoff([
    ...EVENTS,
    '--irq',
    '0',
    '--from',
    '@0',
    '--to',
    '@800',
    '--within',
    '9000',
  ]);
  expect(many.status).toBe(1);
  expect(many.stderr).toMatch(
    /^holdoff: these are \d+ pairs, and at most 1000000 are tried; narrow/,
  );
  const three = await holdoff([...EVENTS, '--irq', '0', '--irq', '3', '--from', '@0']);
  expect(three.stderr).toContain('one or two of --irq N, --nmi and --exception V');
  const single = ['explore', IMAGE, '--nmi', '--from', '@0', '--within', '3', '--bad-crash'];
  expect((await holdoff(single)).stderr).toContain('--within is for --pairs');
});
