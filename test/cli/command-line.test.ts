import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const verbs = ['run', 'record', 'replay', 'info', 'events', 'gdb', 'demo'];

describe('help', () => {
  test('names every verb and the exit statuses', async () => {
    const { status, stdout } = await holdoff(['--help']);
    expect(status).toBe(0);
    for (const verb of verbs) expect(stdout.toString()).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(stdout.toString()).toContain('Exit status: 0');
  });

  test.each(verbs)('%s --help has an example of the verb', async (verb) => {
    const { status, stdout, stderr } = await holdoff([verb, '--help']);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(new RegExp(`Example:\n  holdoff ${verb}\\b`));
    expect(stderr).toBe('');
  });

  test('--version is the one in package.json', async () => {
    const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
    const { stdout } = await holdoff(['--version']);
    expect(manifest).toMatchObject({ version: stdout.toString().trim() });
  });
});

describe("a user's error is one line on stderr and status 1", () => {
  async function lineOf(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await holdoff(words, '', folder);
    expect(status, stderr).toBe(1);
    expect(stdout.toString()).toBe('');
    expect(stderr).toMatch(/^holdoff: [^\n]+; [^\n]+\n$/);
    return stderr;
  }

  test('an unknown verb', async () => {
    expect(await lineOf('recrod', 'k.elf')).toContain('record');
  });

  test('an unknown option', async () => {
    expect(await lineOf('run', 'k.elf', '--memroy', '4M')).toContain('--memory');
  });

  test('a missing argument', async () => {
    expect(await lineOf('replay')).toContain("'trace'");
  });

  test('an option out of range', async () => {
    expect(await lineOf('run', 'k.elf', '--memory', '17')).toContain('between 1M and 2G');
  });

  test('an unknown clock', async () => {
    expect(await lineOf('run', 'k.elf', '--clock', 'sundial')).toContain('virtual, host, random');
  });

  test.each(['run', 'record', 'replay', 'info', 'events', 'gdb'])(
    '%s of a file that is not there',
    async (verb) => {
      expect(await lineOf(verb, 'absent.bin')).toContain('cannot read absent.bin: no such file');
    },
  );

  test.each(['run', 'record', 'gdb'])('%s of a folder', async (verb) => {
    expect(await lineOf(verb, '.')).toContain('is a directory');
  });

  test.each(['replay', 'info', 'events'])('%s of what is no trace', async (verb) => {
    writeFileSync(join(folder, 'text.trace'), 'hello\n');
    expect(await lineOf(verb, 'text.trace')).toContain('text.trace');
  });

  test.each(['run', 'record'])('%s of a foreign image without --address', async (verb) => {
    writeFileSync(join(folder, 'text.bin'), 'hello\n');
    expect(await lineOf(verb, 'text.bin')).toContain('text.bin');
  });

  test('an initrd that is not there', async () => {
    writeFileSync(join(folder, 'halt.bin'), Buffer.from('faf4', 'hex'));
    expect(
      await lineOf('run', 'halt.bin', '--address', '0x100000', '--initrd', 'absent.img'),
    ).toContain('cannot read absent.img');
  });
});

test('no verb at all shows the help on stderr and fails', async () => {
  const { status, stdout, stderr } = await holdoff([]);
  expect(status).toBe(1);
  expect(stdout.toString()).toBe('');
  expect(stderr).toContain('Usage: holdoff');
});
