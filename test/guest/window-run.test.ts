/** guest/window in our own machine: sound as it is, and caught when it is padded. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ElfFile } from '../../src/machine/loaders/elf.js';
import { elfSymbols } from '../../src/machine/loaders/elf-symbols.js';
import { holdoff } from '../cli/holdoff.js';

const folder = fileURLToPath(new URL('../../guest/window', import.meta.url));
const LOST_WORK =
  /\nLOST WORK: task [AB] entered user mode with need_resched set, by tick \d+ at 0008:([0-9a-f]{8}); seen at [^\n]+\n$/;

test('window.elf passes its own checks under random timer interrupts', async () => {
  const image = join(folder, 'window.elf');
  const { stdout, status } = await holdoff(['run', image, '--clock', 'random', '--seed', '1']);
  expect(stdout.toString()).toMatch(/\nDONE\n$/);
  expect(status).toBe(99);
});

test('window-padded.elf enters user mode with work set between STI and SYSEXIT', async () => {
  const image = join(folder, 'window-padded.elf');
  const { stdout, status } = await holdoff(['run', image, '--clock', 'random', '--seed', '1']);
  const eip = Number.parseInt(LOST_WORK.exec(stdout.toString())?.[1] ?? 'none', 16);
  const symbols = elfSymbols(
    new ElfFile({ name: 'window-padded.elf', bytes: readFileSync(image) }),
  );
  // STI holds interrupts off until the first NOP is done, so the second is the earliest place.
  expect(eip).toBeGreaterThanOrEqual((symbols.address('sti_sysexit_sti') ?? NaN) + 2);
  expect(eip).toBeLessThanOrEqual(symbols.address('sti_sysexit_sysexit') ?? NaN);
  expect(status).toBe(67);
});
