/** `--vmi rom` as a user has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MachineOptions } from '../../src/cli/machine-options.js';
import { setUp, startFromOptions } from '../../src/cli/machine-setup.js';
import { packagePath } from '../../src/cli/package-root.js';
import { UserError } from '../../src/machine/user-error.js';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-rom-'));
afterAll(() => rmSync(folder, { recursive: true }));
const caller = packagePath('guest/rom-caller/rom-caller.elf');
const options: MachineOptions = {
  memory: 4 << 20,
  clock: 'virtual',
  seed: 1,
  maxInstructions: 1000,
  serial: 'null',
  engine: 'interpreter',
  vmi: 'rom',
};

test('a recording has the ROM in it, replays, and its calls are counted and listed by name', async () => {
  const trace = join(folder, 'rom.trace');
  const recorded = await holdoff(['record', caller, '--vmi', 'rom', '-o', trace]);
  expect(recorded.status).toBe(99);
  expect(recorded.stdout.toString()).toMatch(/\nDONE\n$/);
  expect(recorded.stderr).toMatch(/^holdoff: VMI call 72 [^\n]* from 0xc01[0-9a-f]{5} [^\n]*\n/);
  const replayed = await holdoff(['replay', trace]);
  expect(replayed.stderr).toContain('the replay is the recorded run');
  const info = await holdoff(['info', trace, '--json']);
  const { images, calls } = JSON.parse(info.stdout.toString()) as {
    images: { role: string }[];
    calls: Record<string, number>;
  };
  expect(images.map(({ role }) => role)).toEqual(['kernel', 'vmi-rom']);
  expect(calls).toMatchObject({ SetPxE: 4, SetLazyMode: 2, WriteGDTEntry: 1 });
  const listed = await holdoff(['events', trace, '--call', 'SetAlarm', '--json']);
  expect(listed.stdout.toString().trimEnd().split('\n')).toHaveLength(2);
  const alarms = await holdoff(['events', trace, '--kind', 'irq']);
  expect(alarms.stdout.toString()).toMatch(/alarm 1 expires\n/);
});

test('a trace without its ROM is refused in one line', () => {
  const start = startFromOptions(caller, options);
  const bare = { ...start, images: start.images.filter(({ role }) => role !== 'vmi-rom') };
  expect(() => setUp(bare)).toThrow(UserError);
  expect(() => setUp(bare)).toThrow(/^the trace holds no VMI ROM[^\n]*$/);
});

test('a BIOS has no kernel that could call it', () => {
  expect(() => startFromOptions(undefined, { ...options, bios: caller })).toThrow(
    /is a ROM, and --vmi is for kernels alone/,
  );
});
