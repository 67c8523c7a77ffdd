import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { GUEST_ADDRESS, HELLO } from './guests.js';
import { type Finished, finished, holdoff, start } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-gdb-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = ['--address', GUEST_ADDRESS, '--memory', '2M'];
const anyPort = ['--listen', '127.0.0.1:0', '--once'];
const hasGdb = spawnSync('gdb', ['--version']).status === 0;

beforeAll(() => {
  writeFileSync(join(folder, 'hello.bin'), HELLO);
});

/** Starts a server and waits until it listens. */
async function serve(...words: string[]): Promise<{ port: number; ended: Promise<Finished> }> {
  const child = start(['gdb', ...words, ...anyPort], folder);
  child.stdin.end();
  const ended = finished(child);
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const match = /listening on 127\.0\.0\.1:(\d+)/.exec(said);
      if (match !== null) resolve(Number(match[1]));
    });
    child.on('close', () => reject(new Error(said)));
  });
  return { port, ended };
}

/** Sends bodies of packets one after the other; the bodies of the answers. */
function talk(port: number, bodies: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const answers: string[] = [];
    let received = '';
    const next = (): void => {
      if (answers.length === bodies.length) {
        socket.end();
        resolve(answers);
        return;
      }
      const body = bodies[answers.length];
      const sum = Buffer.from(body, 'latin1').reduce((total, byte) => total + byte, 0) & 0xff;
      socket.write(`$${body}#${sum.toString(16).padStart(2, '0')}`);
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      for (;;) {
        const match = /\$([^#]*)#[\da-f]{2}/.exec(received);
        if (match === null) return;
        received = received.slice(match.index + match[0].length);
        socket.write('+');
        // Console output comes in packets of its own, before the answer.
        if (/^O[\da-f]/.test(match[1]) || answers.length === bodies.length) continue;
        answers.push(match[1]);
        next();
      }
    });
  });
}

describe('holdoff gdb', () => {
  test('takes the checkpoints of its trace over, within the memory that they may take', async () => {
    const image = packagePath('guest/window/window.elf');
    const words = ['record', image, '-o', 'kept.trace', '--max-instructions', '3000000'];
    await holdoff([...words, '--checkpoint-every', '500000', '--serial', 'null'], '', folder);
    const { port, ended } = await serve('kept.trace', '--checkpoint-memory', '1M');
    const command = (text: string): string => `qRcmd,${Buffer.from(text).toString('hex')}`;
    const [sought, table] = await talk(port, [
      command('seek end'),
      'qXfer:osdata:read:checkpoints:0,10000',
    ]);
    expect(sought).toBe('OK');
    for (const at of [500_000, 1_000_000, 2_500_000]) expect(table).toContain(`>@${at}<`);
    await ended;
  });

  test('serves a trace, in both directions, and with --once ends with its client', async () => {
    await holdoff(['record', 'hello.bin', '-o', 'hello.trace', ...at], '', folder);
    const { port, ended } = await serve('hello.trace');
    const [memory, forward, backward, again] = await talk(port, ['m100000,4', 's', 'bs', 'bs']);
    expect(memory).toBe('66baf803');
    expect(forward).toMatch(/^T05/);
    expect(backward).toMatch(/^T05/);
    expect(again).toContain('replaylog:begin');
    expect((await ended).status).toBe(0);
  });

  test('serves an image that runs live, whose output is on stdout', async () => {
    const { port, ended } = await serve('hello.bin', ...at);
    const [stop] = await talk(port, ['c']);
    expect(stop).toContain('replaylog:end');
    const { status, stdout } = await ended;
    expect([status, stdout.toString()]).toEqual([0, 'hi\n']);
  });

  test('--save keeps what was recorded live, up to where the client left it', async () => {
    const { port, ended } = await serve('hello.bin', '--save', 'saved.trace', ...at);
    const [first, back, second] = await talk(port, ['s', 'bs', 's']);
    expect([first, back, second].map((stop) => stop.slice(0, 3))).toEqual(['T05', 'T05', 'T05']);
    expect((await ended).stderr).toMatch(/wrote saved\.trace: [\d,]+ bytes/);
    const replayed = await holdoff(['replay', 'saved.trace', '--json'], '', folder);
    expect(JSON.parse(replayed.stdout.toString())).toMatchObject({
      instants: 1,
      divergence: null,
      outcome: { kind: 'interrupted' },
    });
  });

  test('--save keeps a run to its end, whatever way it was gone through', async () => {
    const { port, ended } = await serve('hello.bin', '--save', 'whole.trace', ...at);
    await talk(port, ['c', 'bc', 'c', 'bs', 'c']);
    await ended;
    const { status, stdout } = await holdoff(['replay', 'whole.trace'], '', folder);
    expect([status, stdout.toString()]).toEqual([99, 'hi\n']);
  });

  test('--save is refused where nothing runs live', async () => {
    await holdoff(['record', 'hello.bin', '-o', 'live.trace', ...at], '', folder);
    const { status, stderr } = await holdoff(['gdb', 'live.trace', '--save', 'x'], '', folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^holdoff: --save is for an image that runs live.*leave it out\n$/);
  });

  test('--print-gdbinit prints the script that gdb can source, and serves nothing', async () => {
    const { status, stdout, stderr } = await holdoff(['gdb', '--print-gdbinit'], '', folder);
    expect([status, stderr]).toEqual([0, '']);
    for (const name of ['seek', 'why', 'window', 'catch-irq', 'last-write']) {
      expect(stdout.toString()).toContain(`\ndefine ${name}\n`);
      expect(stdout.toString()).toContain(`\ndocument ${name}\n`);
    }
  });

  test.skipIf(!hasGdb)(
    'the script of --print-gdbinit is one that gdb takes (needs gdb)',
    async () => {
      const { stdout } = await holdoff(['gdb', '--print-gdbinit'], '', folder);
      writeFileSync(join(folder, 'holdoff.gdb'), stdout);
      const words = ['-q', '-nx', '-batch', '-x', join(folder, 'holdoff.gdb'), '-ex', 'help seek'];
      const gdb = spawnSync('gdb', words, { encoding: 'utf8', timeout: 60_000 });
      expect([gdb.status, gdb.stderr]).toEqual([0, '']);
      expect(gdb.stdout).toContain('Go to an instant');
    },
  );

  test.skipIf(!hasGdb)('serves an unmodified gdb (needs gdb)', async () => {
    const image = packagePath('guest/window/window.elf');
    const words = ['record', image, '-o', 'window.trace', '--max-instructions', '200_000'];
    await holdoff(words, '', folder);
    const { port, ended } = await serve('window.trace');
    const commands = [
      `target remote 127.0.0.1:${port}`,
      'hbreak irq0_entry',
      'continue',
      'reverse-stepi',
      'monitor when',
      'kill',
    ].flatMap((command) => ['-ex', command]);
    const gdb = spawnSync('gdb', ['-q', '-nx', '-batch', image, ...commands], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(gdb.stdout).toMatch(/Breakpoint 1, .*irq0_entry/);
    // Where gdb prints what monitor commands answer differs between its versions.
    expect(gdb.stdout + gdb.stderr).toMatch(/^@\d+/m);
    expect((await ended).status).toBe(0);
  });
});
