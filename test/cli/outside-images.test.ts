/** `--images outside`: traces that name their images, and the verbs that look for them. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { openTraceFile } from '../../src/cli/trace-file.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { finished, holdoff, start } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-outside-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WINDOW = packagePath('guest/window/window.elf');
const here = join(folder, 'here');
const images = join(here, 'images');
const trace = join(here, 'race.trace');
let sha256 = '';

beforeAll(async () => {
  mkdirSync(images, { recursive: true });
  copyFileSync(WINDOW, join(images, 'window.elf'));
  sha256 = spawnSync('sha256sum', [WINDOW]).stdout.toString().slice(0, 64);
  const words = ['record', 'images/window.elf', '-o', 'race.trace', '--images', 'outside'];
  const how = ['--memory', '4M', '--max-instructions', '400_000', '--checkpoint-every', '150_000'];
  const { status, stderr } = await holdoff([...words, ...how], '', here);
  expect([status, stderr]).toEqual([0, expect.stringContaining('wrote race.trace')]);
});

/** A folder of its own, with the trace in it, and whatever else is said. */
function elsewhere(name: string, files: Readonly<Record<string, string | Buffer>> = {}): string {
  const path = join(folder, name);
  mkdirSync(path);
  copyFileSync(trace, join(path, 'race.trace'));
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
  return path;
}

async function replayed(words: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await holdoff(['replay', '--json', ...words], '', cwd);
  expect(status, stderr).toBe(0);
  const { digest } = JSON.parse(stdout.toString()) as { digest: string };
  return digest;
}

async function info(path: string, cwd: string): Promise<Record<string, unknown>> {
  const { stdout } = await holdoff(['info', '--json', path], '', cwd);
  return JSON.parse(stdout.toString()) as Record<string, unknown>;
}

describe('a trace whose image is outside', () => {
  test('says in info what it needs', async () => {
    const { stdout } = await holdoff(['info', 'race.trace'], '', here);
    const bytes = statSync(WINDOW).size;
    expect(stdout.toString().replaceAll(',', '')).toContain(
      `window.elf: ${bytes} bytes outside: images/window.elf SHA-256 ${sha256}`,
    );
    expect(await info('race.trace', here)).toMatchObject({
      version: 4,
      images: [
        {
          name: 'window.elf',
          role: 'kernel',
          bytes,
          outside: { path: 'images/window.elf', sha256 },
        },
      ],
    });
  });

  test('replays where it was recorded, and elsewhere with the folder named', async () => {
    const away = elsewhere('away');
    const folders = ['--image-folder', away, '--image-folder', images];
    expect(await replayed(['race.trace', ...folders], away)).toBe(
      await replayed(['race.trace'], here),
    );
  });

  test('finds its image beside it', () => {
    const beside = join(elsewhere('beside', { 'window.elf': readFileSync(WINDOW) }), 'race.trace');
    const [image] = startFromTrace(openTraceFile(beside), beside).images;
    expect(Buffer.compare(image.bytes, readFileSync(WINDOW))).toBe(0);
    // What is written of it leaves the image where it is.
    expect(image.outsidePath).toBe('images/window.elf');
  });

  test.each(['replay', 'gdb', 'shrink'])(
    'has %s say what is missing, and where it looked',
    async (verb) => {
      const { status, stdout, stderr } = await holdoff([verb, 'race.trace'], '', elsewhere(verb));
      expect([status, stdout.toString()]).toEqual([1, '']);
      expect(stderr).toMatch(
        new RegExp(
          `^holdoff: race.trace needs the image window.elf of [\\d,]+ bytes with SHA-256 ${sha256}, and it is not at images/window.elf or window.elf; name the folder that has it with --image-folder\n$`,
        ),
      );
    },
  );

  test('takes no file with other content, and a good one behind it', () => {
    const changed = readFileSync(WINDOW);
    changed[changed.length - 1] ^= 1;
    const path = join(elsewhere('changed', { 'window.elf': changed }), 'race.trace');
    const begin = (imageFolder: string[] = []): unknown =>
      startFromTrace(openTraceFile(path), path, { imageFolder });
    expect(() => begin()).toThrow(
      /SHA-256 [\da-f]{64}, but \S*window\.elf has SHA-256 [\da-f]{64}; name the folder/,
    );
    writeFileSync(join(dirname(path), 'window.elf'), 'short');
    expect(() => begin()).toThrow(/, but \S*window\.elf has 5 bytes; name the folder/);
    expect(() => begin([dirname(path), images])).not.toThrow();
  });

  test('opens nothing but regular files', () => {
    const cwd = elsewhere('fifo');
    const path = join(cwd, 'race.trace');
    expect(spawnSync('mkfifo', [join(cwd, 'window.elf')]).status).toBe(0);
    expect(() => startFromTrace(openTraceFile(path), path)).toThrow('it is not at');
  });

  test('lists its events without the image, and with its names where it is there', async () => {
    const named = await holdoff(['events', 'race.trace', '--json'], '', here);
    expect([named.status, named.stderr]).toEqual([0, '']);
    const cwd = elsewhere('events');
    const bare = await holdoff(['events', 'race.trace', '--json'], '', cwd);
    expect(bare.status).toBe(0);
    expect(bare.stderr).toMatch(/^holdoff: race\.trace needs .*; goes on without its names\n$/);
    const symbolless = (stdout: Buffer): string =>
      stdout.toString().replaceAll(/"symbol":("[^"]*"|null)/g, '');
    expect(named.stdout.toString()).toMatch(/"symbol":"/);
    expect(bare.stdout.toString()).not.toMatch(/"symbol":"/);
    expect(symbolless(bare.stdout)).toBe(symbolless(named.stdout));
  });

  test('is served to gdb', async () => {
    const cwd = elsewhere('served');
    const words = ['race.trace', '--image-folder', images, '--listen', '127.0.0.1:0', '--once'];
    const child = start(['gdb', ...words], cwd);
    child.stdin.end();
    const ended = finished(child);
    const port = await new Promise<number>((resolve, reject) => {
      child.stderr.on('data', (bytes: Buffer) => {
        const match = /listening on 127\.0\.0\.1:(\d+)/.exec(bytes.toString());
        if (match !== null) resolve(Number(match[1]));
      });
      child.on('close', () => reject(new Error('it has ended')));
    });
    connect(port, '127.0.0.1').end();
    expect((await ended).status).toBe(0);
  });
});

describe('pack', () => {
  test('makes a trace that needs no file, of all that was in it', async () => {
    const cwd = join(folder, 'packed');
    mkdirSync(cwd);
    const words = ['pack', trace, '-o', 'whole.trace', '--image-folder', images];
    const { status, stderr } = await holdoff(words, '', cwd);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^holdoff: wrote whole\.trace: /)]);
    expect(await replayed(['whole.trace'], cwd)).toBe(await replayed(['race.trace'], here));
    const [before, after] = [await info(trace, cwd), await info('whole.trace', cwd)];
    expect(after).toEqual({
      ...before,
      version: 1,
      images: [{ name: 'window.elf', role: 'kernel', bytes: statSync(WINDOW).size }],
      bytes: statSync(join(cwd, 'whole.trace')).size,
    });
    expect(after['checkpoints']).toBe(2);
  });

  test('keeps what a killed recorder has left', async () => {
    const cwd = elsewhere('cut', { 'window.elf': readFileSync(WINDOW) });
    writeFileSync(join(cwd, 'cut.trace'), readFileSync(trace).subarray(0, -1));
    const { status, stderr } = await holdoff(['pack', 'cut.trace'], '', cwd);
    expect([status, stderr]).toEqual([0, expect.stringContaining('wrote cut-2.trace')]);
    const [before, after] = ['cut.trace', 'cut-2.trace'].map((name) =>
      openTraceFile(join(cwd, name)),
    );
    expect(after.lastInstant).toBe(before.lastInstant);
    expect([...after.events]).toEqual([...before.events]);
    expect([after.isComplete, after.damage]).toEqual([false, null]);
  });

  test('does not write over a file', async () => {
    const cwd = join(folder, 'there');
    cpSync(here, cwd, { recursive: true });
    const { status, stderr } = await holdoff(['pack', 'race.trace', '-o', 'race.trace'], '', cwd);
    expect([status, stderr]).toEqual([
      1,
      'holdoff: cannot write race.trace: it exists already; choose another name\n',
    ]);
    expect(readFileSync(join(cwd, 'race.trace'))).toEqual(readFileSync(trace));
  });
});
