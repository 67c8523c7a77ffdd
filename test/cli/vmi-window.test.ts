/** guest/window under the hypervisor, as a user records it and reads the trace. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-vmi-window-'));
afterAll(() => rmSync(folder, { recursive: true }));
const guest = packagePath('guest/window/window-short.elf');
const BYTES_A_CALL = 3;

interface Info {
  readonly events: { readonly shim: number };
  readonly calls: Record<string, number>;
}

describe.each(['inline', 'rom'])('a recording with --vmi %s', (way) => {
  const trace = join(folder, `${way}.trace`);
  const options = [
    '--vmi',
    way,
    '--clock',
    'random',
    '--seed',
    '7',
    '--max-instructions',
    '1000000',
  ];

  test('takes less than 3 bytes a call, images included', async () => {
    expect((await holdoff(['record', guest, ...options, '-o', trace])).stderr).toContain('wrote');
    const { stdout } = await holdoff(['info', trace, '--json']);
    const { events, calls } = JSON.parse(stdout.toString()) as Info;
    const counted = Object.values(calls).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(events.shim);
    expect(counted).toBeGreaterThan(10_000);
    expect(statSync(trace).size / counted).toBeLessThan(BYTES_A_CALL);
    // The names of calls are taken in any case, and each is listed as often as it is counted.
    const listed = await holdoff(['events', trace, '--call', 'updatekernelstack', '--json']);
    const rows = listed.stdout.toString().trimEnd().split('\n');
    expect(rows).toHaveLength(calls['UpdateKernelStack']);
  });

  test('names the hypervisor’s code, where an interrupt hits it', async () => {
    const { stdout } = await holdoff(['events', trace, '--kind', 'irq']);
    expect(stdout.toString()).toMatch(/EIP 000c8[0-9a-f]{3} <vmi_\w+(\+0x[0-9a-f]+)?>/);
  });
});

test('a call that does not exist is refused in one line', async () => {
  const { status, stderr } = await holdoff(['events', 'none.trace', '--call', 'PxE']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^holdoff: [^\n]*Perhaps SetPxE, SetPxELong, [^\n]*\n$/);
});
