import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const verbs = [
  'run',
  'record',
  'replay',
  'info',
  'events',
  'gdb',
  'explore',
  'bisect',
  'shrink',
  'worker',
  'demo',
];

interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process. */
async function say(...words: string[]): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const status = await runCommandLine(words, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { status, stdout, stderr };
}

/** The file of this content, as a path. */
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('help', () => {
  test('names every verb and the exit statuses', async () => {
    const { status, stdout } = await say('--help');
    expect(status).toBe(0);
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(stdout).toContain('Exit status: 0');
  });

  test.each(verbs)('%s --help has an example of the verb', async (verb) => {
    const { status, stdout, stderr } = await say(verb, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`Example:\n  holdoff ${verb}\\b`));
    expect(stderr).toBe('');
  });

  test('docs/cli.md and docs/search.md name every option of every verb', async () => {
    const manual = ['cli', 'search']
      .map((page) => readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8'))
      .join('');
    for (const verb of verbs) {
      const { stdout } = await say(verb, '--help');
      for (const [option] of stdout.matchAll(/(?<=^ .*)--[a-z-]+(?= )/gm)) {
        if (option !== '--help') expect(manual, `${verb} ${option}`).toContain(option);
      }
    }
  });

  test('no verb at all shows the help on stderr and fails', async () => {
    const { status, stdout, stderr } = await say();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: holdoff');
  });
});

describe("a user's error is one line on stderr and status 1", () => {
  async function lineOf(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await say(...words);
    expect([status, stdout], stderr).toEqual([1, '']);
    expect(stderr).toMatch(/^holdoff: [^\n]+; [^\n]+\n$/);
    return stderr;
  }
  const absent = join(folder, 'absent.bin');

  test('an unknown verb', async () => {
    expect(await lineOf('recrod', 'k.elf')).toContain('did you mean record?');
  });

  test('an unknown option', async () => {
    expect(await lineOf('run', 'k.elf', '--memroy', '4M')).toContain('did you mean --memory?');
  });

  test('a missing argument', async () => {
    expect(await lineOf('replay')).toContain("'trace'");
  });

  test('an argument too many', async () => {
    expect(await lineOf('info', 'a.trace', 'b.trace')).toContain('too many arguments');
  });

  test('an option out of range', async () => {
    expect(await lineOf('run', 'k.elf', '--memory', '17')).toContain('between 1M and 2G');
  });

  test('an unknown clock', async () => {
    expect(await lineOf('run', 'k.elf', '--clock', 'sundial')).toContain('virtual, host, random');
  });

  test('what is no instant', async () => {
    expect(await lineOf('replay', 'a.trace', '--to', 'noon')).toContain('@1234567');
  });

  test.each(['run', 'record', 'replay', 'info', 'events', 'gdb'])(
    '%s of a file that is not there',
    async (verb) => {
      expect(await lineOf(verb, absent)).toContain(`cannot read ${absent}: no such file`);
    },
  );

  test.each(['run', 'record', 'gdb'])('%s of a folder', async (verb) => {
    expect(await lineOf(verb, folder)).toContain('is a directory');
  });

  test.each(['replay', 'info', 'events'])('%s of what is no trace', async (verb) => {
    expect(await lineOf(verb, file('text.trace', 'hello\n'))).toContain('not a holdoff trace');
  });

  test.each(['replay', 'info', 'events'])('%s of an empty file', async (verb) => {
    expect(await lineOf(verb, file('empty.trace', ''))).toContain('empty.trace');
  });

  test.each(['run', 'record', 'gdb'])('%s of a foreign image without --address', async (verb) => {
    expect(await lineOf(verb, file('text.bin', 'hello\n'))).toContain('give --address');
  });

  test('an initrd that is not there', async () => {
    const image = file('halt.bin', Buffer.from('faf4', 'hex'));
    const words = ['run', image, '--address', '0x100000', '--initrd', absent];
    expect(await lineOf(...words)).toContain(`cannot read ${absent}`);
  });

  test('an address that cannot be listened on', async () => {
    const image = file('halt.bin', Buffer.from('faf4', 'hex'));
    const words = ['gdb', image, '--address', '0x100000', '--listen', '192.0.2.1:1'];
    expect(await lineOf(...words)).toContain('cannot listen on 192.0.2.1:1');
  });
});

describe('the executable', () => {
  test('prints the version that is in package.json', async () => {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    const { stdout } = await holdoff(['--version']);
    expect(manifest).toMatchObject({ version: stdout.toString().trim() });
  });

  test("says a user's error on stderr and nothing on stdout", async () => {
    const { status, stdout, stderr } = await holdoff(['info', join(folder, 'absent.trace')]);
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toMatch(/^holdoff: cannot read \S+absent.trace: no such file; .*\n$/);
  });
});
