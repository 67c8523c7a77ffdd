import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import * as guests from './guests.js';
import { finished, holdoff, start } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-record-'));
afterAll(() => rmSync(folder, { recursive: true }));
const window = packagePath('guest/window/window.elf');
const at = ['--address', guests.GUEST_ADDRESS, '--memory', '2M'];

beforeAll(() => {
  for (const [name, bytes] of Object.entries(guests)) {
    if (typeof bytes !== 'string') writeFileSync(join(folder, `${name.toLowerCase()}.bin`), bytes);
  }
});

function json(stdout: Buffer): Record<string, unknown> {
  return JSON.parse(stdout.toString()) as Record<string, unknown>;
}

describe('run', () => {
  test("ends with the guest's own status and prints what it sent, byte for byte", async () => {
    const { status, stdout, stderr } = await holdoff(['run', 'hello.bin', ...at], '', folder);
    expect(stdout.toString()).toBe('hi\n');
    expect(status).toBe(99);
    expect(stderr).toMatch(/^holdoff: the guest exited with status 99 .* at @9\n$/);
  });

  test('a guest that halts for good ends with status 0', async () => {
    const { status, stderr } = await holdoff(['run', 'halt.bin', ...at], '', folder);
    expect(status).toBe(0);
    expect(stderr).toContain('halted for good');
  });

  test('a triple fault is said', async () => {
    const { status, stderr } = await holdoff(['run', 'triple.bin', ...at], '', folder);
    expect(status).toBe(0);
    expect(stderr).toContain('triple fault');
  });

  test('stops after as many instructions as it is allowed', async () => {
    const words = ['run', 'loop.bin', ...at, '--max-instructions', '12_345'];
    const { status, stdout, stderr } = await holdoff(words, '', folder);
    expect([status, stdout.toString()]).toEqual([0, 'x']);
    expect(stderr).toContain('the instruction limit was reached at @12345\n');
  });

  test('standard input reaches the serial port, and its end does not end the run', async () => {
    const { status, stdout } = await holdoff(['run', 'echo.bin', ...at], 'abc\xff\nq', folder);
    expect(stdout).toEqual(Buffer.from('abc\xff\nq'));
    expect(status).toBe(99);
  });

  test('with --serial null nothing is printed', async () => {
    const { stdout } = await holdoff(['run', 'hello.bin', ...at, '--serial', 'null'], '', folder);
    expect(stdout).toHaveLength(0);
  });

  test('a reader that goes away ends it quietly', async () => {
    const child = start(['run', 'chatter.bin', ...at], folder);
    const ended = finished(child);
    child.stdout.once('data', () => child.stdout.destroy());
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^holdoff: the run was interrupted at @\d+\n$/);
  });
});

describe('record and replay', () => {
  test('a replay prints the same bytes, ends with the same status and the same digest', async () => {
    const recorded = await holdoff(
      ['record', 'echo.bin', '-o', 'echo.trace', ...at],
      'hello, world q',
      folder,
    );
    expect(recorded.status).toBe(99);
    const replayed = await holdoff(['replay', 'echo.trace'], '', folder);
    expect(replayed.stdout).toEqual(recorded.stdout);
    expect(replayed.stdout.toString()).toBe('hello, world q');
    expect(replayed.status).toBe(99);

    const info = json((await holdoff(['info', 'echo.trace', '--json'], '', folder)).stdout);
    const again = json((await holdoff(['replay', 'echo.trace', '--json'], '', folder)).stdout);
    expect(again).toMatchObject({
      instants: info['instants'],
      digest: info['digest'],
      outcome: { kind: 'exit', status: 99, value: 0x31 },
      divergence: null,
      serial: 14,
    });
    expect(info).toMatchObject({
      version: 1,
      events: { irq: 0, exception: 0, shim: 0, clock: 0, serial: 14 },
      bytes: readFileSync(join(folder, 'echo.trace')).length,
      outcome: { kind: 'exit', status: 99, value: 0x31 },
    });
  });

  test('checkpoints in a trace are counted, and replay to the same end', async () => {
    const words = ['record', window, '-o', 'kept.trace', '--max-instructions', '300000'];
    await holdoff([...words, '--checkpoint-every', '40_000'], '', folder);
    const info = json((await holdoff(['info', 'kept.trace', '--json'], '', folder)).stdout);
    expect(info).toMatchObject({ version: 1, from: 0, checkpoints: 7 });
    const text = (await holdoff(['info', 'kept.trace'], '', folder)).stdout.toString();
    expect(text).toMatch(/instants +@0 to @\d+, 7 checkpoints\n/);
    const again = json((await holdoff(['replay', 'kept.trace', '--json'], '', folder)).stdout);
    expect(again).toMatchObject({ digest: info['digest'], divergence: null });
  });

  test('the default name is the image’s, and no earlier trace is lost', async () => {
    const inner = mkdtempSync(join(folder, 'names-'));
    const words = ['record', join(folder, 'hello.bin'), ...at];
    await holdoff(words, '', inner);
    await holdoff(words, '', inner);
    expect(existsSync(join(inner, 'hello.trace'))).toBe(true);
    expect(existsSync(join(inner, 'hello-2.trace'))).toBe(true);
  });

  test('a broken image leaves no trace behind', async () => {
    await holdoff(['record', packagePath('package.json'), '-o', 'none.trace'], '', folder);
    expect(existsSync(join(folder, 'none.trace'))).toBe(false);
  });

  test('an output that cannot be written is a line', async () => {
    const words = ['record', 'hello.bin', ...at, '-o', 'absent/x.trace'];
    const { status, stderr } = await holdoff(words, '', folder);
    expect([status, stderr]).toEqual([
      1,
      'holdoff: cannot write absent/x.trace: no such file; check the path\n',
    ]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s stops a recording cleanly, with the trace whole',
    async (signal) => {
      const child = start(['record', 'loop.bin', '-o', 'cut.trace', ...at], folder);
      const ended = finished(child);
      child.stdout.once('data', () => child.kill(signal));
      const { status, stderr } = await ended;
      expect(stderr).toContain('the run was interrupted');
      expect(status).toBe(0);
      const info = json((await holdoff(['info', 'cut.trace', '--json'], '', folder)).stdout);
      expect(info['outcome']).toEqual({ kind: 'interrupted' });
      const again = json((await holdoff(['replay', 'cut.trace', '--json'], '', folder)).stdout);
      expect(again).toMatchObject({ digest: info['digest'], divergence: null });
    },
  );

  test('host time differs from run to run, and its replay does not', async () => {
    const words = ['record', 'clocks.bin', ...at, '--clock', 'host', '--max-instructions', '5000'];
    await holdoff([...words, '-o', 'host.trace'], '', folder);
    const info = json((await holdoff(['info', 'host.trace', '--json'], '', folder)).stdout);
    expect(info).toMatchObject({ events: { clock: 2500 }, outcome: { kind: 'limit' } });
    const again = json((await holdoff(['replay', 'host.trace', '--json'], '', folder)).stdout);
    expect(again).toMatchObject({ digest: info['digest'], divergence: null });
  });

  test('replay --to stops at the instant', async () => {
    await holdoff(['record', 'hello.bin', '-o', 'to.trace', ...at], '', folder);
    const { status, stdout } = await holdoff(['replay', 'to.trace', '--to', '@5'], '', folder);
    expect([status, stdout.toString()]).toEqual([0, 'hi']);
  });
});

describe('a trace that is not whole', () => {
  beforeAll(async () => {
    const words = ['record', window, '--clock', 'random', '--max-instructions', '500_000'];
    await holdoff([...words, '-o', 'window.trace'], '', folder);
  });

  function copy(name: string, change: (bytes: Buffer) => void): void {
    const bytes = readFileSync(join(folder, 'window.trace'));
    change(bytes);
    writeFileSync(join(folder, name), bytes);
  }

  test('cut short, it replays to its last whole chunk and says so', async () => {
    copy('short.trace', () => undefined);
    truncateSync(join(folder, 'short.trace'), readFileSync(join(folder, 'short.trace')).length - 9);
    const { status, stdout, stderr } = await holdoff(
      ['replay', 'short.trace', '--json'],
      '',
      folder,
    );
    expect(status).toBe(0);
    expect(json(stdout)).toMatchObject({ outcome: { kind: 'incomplete' }, divergence: null });
    expect(stderr).toContain('was cut short at byte');
  });

  test.each(['replay', 'info', 'events'])('damaged, it is refused by %s', async (verb) => {
    copy('bad.trace', (bytes) => {
      bytes[bytes.length - 20] ^= 0x40;
    });
    const { status, stdout, stderr } = await holdoff([verb, 'bad.trace'], '', folder);
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toMatch(/^holdoff: bad.trace is damaged at byte \d+ .*expected .*, found .*\n$/);
  });
});

describe('events', () => {
  test('an interrupt is one line with its cause and its effect', async () => {
    const words = ['events', 'window.trace', '--kind', 'irq', '--json'];
    const { stdout } = await holdoff(words, '', folder);
    const rows = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows.slice(0, -1)) {
      expect(row).toMatchObject({ kind: 'irq', line: 0, source: 'timer', vector: 0x20 });
      expect(row['symbol']).toEqual(expect.any(String));
      expect(row['acceptedAt']).toBeGreaterThanOrEqual(row['raisedAt'] as number);
    }
  });

  test('--around shows what is next to an instant', async () => {
    const words = ['events', 'window.trace', '--around', '@200000', '--count', '2'];
    const { stdout } = await holdoff(words, '', folder);
    expect(stdout.toString().trimEnd().split('\n')).toHaveLength(4);
  });

  test('a reader that goes away is no error', async () => {
    const child = start(['events', 'host.trace'], folder);
    const ended = finished(child);
    child.stdout.once('data', () => child.stdout.destroy());
    const { status, stderr } = await ended;
    expect([status, stderr]).toEqual([0, '']);
  });
});
