import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { type Finished, finished, holdoff, start } from '../cli/holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-linux-'));
afterAll(() => rmSync(folder, { recursive: true }));

const kernel = packagePath('.cache/linux/vmlinuz');
const initrd = packagePath('.cache/linux/initramfs.cpio.gz');
const hasLinux = existsSync(kernel) && existsSync(initrd);
if (!hasLinux) console.warn('no Debian kernel here: skipped; npm run linux:fetch gets it');

const CMDLINE = 'console=ttyS0 acpi=off noapic nolapic pci=off';
/** What a kernel says that found the machine wanting. */
const COMPLAINT = /WARNING|BUG|Oops|Call Trace|unchecked MSR|panic|hung|stall/i;
const MOST_TRACE_BYTES = 2 << 20;

function recordWords(trace: string, clock: string, cmdline = CMDLINE): string[] {
  const guest = [kernel, '--initrd', initrd, '--cmdline', cmdline, '--memory', '256M'];
  const images = ['--images', 'outside'];
  return ['record', ...guest, '--clock', clock, ...images, '-o', join(folder, trace)];
}

interface Info {
  readonly digest: string;
  readonly bytes: number;
}

/** Replays what was recorded, and expects the same. */
async function expectReplay(trace: string, recorded: Finished): Promise<Info> {
  const path = join(folder, trace);
  const replayed = await holdoff(['replay', path]);
  expect(replayed.status, replayed.stderr).toBe(0);
  expect(replayed.stdout.equals(recorded.stdout)).toBe(true);
  const shown = await holdoff(['info', path, '--json']);
  const info = JSON.parse(shown.stdout.toString()) as Info;
  expect(replayed.stderr).toContain(info.digest);
  return info;
}

describe.skipIf(!hasLinux)('Debian’s Linux 6.1', () => {
  test('boots, recorded, to its init and reboots, and its replay is the same', async () => {
    const recorded = await holdoff(recordWords('virtual.trace', 'virtual'));
    const output = recorded.stdout.toString();
    expect(output).toContain('GUEST-INIT-DONE');
    expect(output).not.toMatch(COMPLAINT);
    expect(output).toContain('tsc: Detected 100.0');
    expect(recorded.stderr).toContain('the guest reset the machine');
    const info = await expectReplay('virtual.trace', recorded);
    expect(info.bytes).toBeLessThan(MOST_TRACE_BYTES);
  }, 3_600_000);

  test('takes what is typed into its shell, under the host’s clock, and its replay is the same', async () => {
    const child = start(recordWords('shell.trace', 'host', `${CMDLINE} shell`));
    const typing = [
      ['/ # ', 'echo $((6 * 7))\r'],
      ['\n42\r', 'uname -m\r'],
      ['i686\r', 'exit\r'],
    ];
    let shown = '';
    child.stdout.on('data', (bytes: Buffer) => {
      shown += bytes.toString('latin1');
      const next = typing.at(0);
      if (next === undefined || !shown.includes(next[0])) return;
      shown = '';
      typing.shift();
      child.stdin.write(next[1]);
    });
    const recorded = await finished(child);
    expect(typing).toEqual([]);
    expect(recorded.stdout.toString()).not.toMatch(COMPLAINT);
    expect(recorded.stderr).toContain('the guest reset the machine');
    await expectReplay('shell.trace', recorded);
  }, 3_600_000);
});
