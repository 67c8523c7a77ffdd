/**
 * Sessions with the real gdb as they are in transcripts: `(gdb) command`, then what gdb said. Run with
 * HOLDOFF_TRANSCRIPTS=write they are written anew.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveGdb } from '../../src/cli/gdb-server.js';
import type { DebugTarget } from '../../src/gdbstub/target.js';

/** Where gdb is told to connect in a transcript; the port that is really listened on takes its place. */
const ADDRESS = ':1234';

/** One command, and what was printed until the next. */
export interface Exchange {
  readonly command: string;
  readonly output: string;
}

const SOURCES = new URL('programs', import.meta.url).pathname;

/** What `source holdoff.gdb` loads. */
const SCRIPT = new URL('../../share/holdoff.gdb', import.meta.url).pathname;
/** gdb's last words, which belong to no command. */
const FAREWELL = /\[Inferior 1 \(Remote target\) detached\]\n?/;

const { stdout } = spawnSync('gdb', ['--version'], { encoding: 'utf8' }) as {
  readonly stdout: string | null;
};
/** The gdb that is installed: its major version, or 0. */
export const gdbVersion = Number(/GNU gdb .*?(\d+)\./.exec(stdout ?? '')?.[1] ?? 0);
/** Words differ from version to version: transcripts are those of the gdb of Debian 12. */
export const hasTranscriptGdb: boolean = gdbVersion === 13;

/** The first transcript between fences in a text for readers; the whole text where it has none. */
const FENCED = /(?<=```gdb\n)[^]*?(?=```)/;

function parseTranscript(text: string): Exchange[] {
  const [transcript] = FENCED.exec(text) ?? [text];
  const [, ...parts] = `\n${transcript}`.split(/\n\(gdb\) /);
  return parts.map((part) => {
    const [command, ...output] = part.split('\n').map((line) => line.trimEnd());
    return { command, output: output.join('\n').trim() };
  });
}

/** A transcript of exchanges. */
function formatTranscript(exchanges: readonly Exchange[]): string {
  return exchanges
    .map(({ command, output }) => `(gdb) ${command}\n${output === '' ? '' : `${output}\n`}`)
    .join('');
}

/** Has the real gdb run commands, one of which connects to `:1234`. */
export async function converse(
  target: DebugTarget,
  commands: readonly string[],
): Promise<Exchange[]> {
  const server = await serveGdb(target, { port: 0, log: () => undefined });
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-transcript-'));
  const script = join(folder, 'script.py');
  const real = commands.map((command) =>
    command.replace(ADDRESS, `:${server.port}`).replace(/^source holdoff.gdb$/, `source ${SCRIPT}`),
  );
  writeFileSync(
    script,
    [
      'import gdb, sys',
      'def run(command):',
      "    print('\\x02', end='')",
      '    try: gdb.execute(command)',
      '    except gdb.error as error: print(error)',
      '    gdb.flush(); sys.stdout.flush()',
      "for setting in ['pagination', 'confirm', 'style enabled', 'debuginfod enabled']:",
      "    gdb.execute('set ' + setting + ' off')",
      ...real.map((command) => `run(${JSON.stringify(command)})`),
      '',
    ].join('\n'),
  );
  try {
    const text = await run(['-nx', '-batch', '-d', SOURCES, '-x', script]);
    const [, ...outputs] = text.replace(FAREWELL, '').split('\x02');
    return commands.map((command, place) => {
      const lines = (outputs[place] ?? '').split('\n').map((line) => line.trimEnd());
      const output = lines.join('\n').replaceAll(`:${server.port}`, ADDRESS).trim();
      return { command, output };
    });
  } finally {
    server.close();
    await server.closed;
    rmSync(folder, { recursive: true });
  }
}

/** Both outputs of gdb through one pipe, since their order counts. */
function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = ['-c', 'exec gdb "$@" 2>&1', 'sh', ...args];
    const gdb = spawn('sh', words, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 });
    let output = '';
    gdb.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    gdb.on('error', reject);
    gdb.on('close', () => resolve(output));
  });
}

/**
 * What a transcript says and what gdb says now. With HOLDOFF_TRANSCRIPTS=write the file becomes the
 * latter.
 */
export async function rehearse(
  target: DebugTarget,
  path: string,
): Promise<{ readonly said: readonly Exchange[]; readonly written: readonly Exchange[] }> {
  const text = readFileSync(path, 'utf8');
  const written = parseTranscript(text);
  const said = await converse(
    target,
    written.map(({ command }) => command),
  );
  if (process.env['HOLDOFF_TRANSCRIPTS'] !== 'write') return { said, written };
  const transcript = formatTranscript(said);
  writeFileSync(path, FENCED.test(text) ? text.replace(FENCED, () => transcript) : transcript);
  return { said, written: said };
}
