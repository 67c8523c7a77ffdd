/** Runs the gdb that is installed, in batch mode, against a target on a port. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveGdb } from '../../src/cli/gdb-server.js';
import type { DebugTarget } from '../../src/gdbstub/target.js';

/** Whether there is a gdb on the PATH. */
export const hasGdb: boolean = spawnSync('gdb', ['--version']).status === 0;

/** The values that `p` printed, in order. */
export function printed(output: string): string[] {
  return [...output.matchAll(/^\$\d+ = (.*)$/gm)].map(([, value]) => value);
}

/**
 * Serves the target to one gdb that runs the commands after `target remote`, and returns what it
 * printed. An error in a command doesn't stop gdb: its text is printed in place.
 * @param onStart told of gdb's process id.
 */
export async function debug(
  target: DebugTarget,
  commands: readonly string[],
  image?: string,
  onStart: (pid: number) => void = () => undefined,
  protocol: 'remote' | 'extended-remote' = 'remote',
): Promise<string> {
  const server = await serveGdb(target, { port: 0, once: true, log: () => undefined });
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-gdb-'));
  const script = join(folder, 'script.py');
  const all = [
    'set pagination off',
    'set confirm off',
    `target ${protocol} :${server.port}`,
    ...commands,
  ];
  const lines = all.map((command) => `run(${JSON.stringify(command)})`);
  writeFileSync(
    script,
    [
      'import gdb, sys',
      'def run(command):',
      '    try: gdb.execute(command)',
      '    except gdb.error as error: print(error)',
      '    sys.stdout.flush()',
      ...lines,
      '',
    ].join('\n'),
  );
  try {
    const args = ['-nx', '-batch', '-x', script, ...(image === undefined ? [] : [image])];
    return await run(args, onStart);
  } finally {
    server.close();
    await server.closed;
    rmSync(folder, { recursive: true });
  }
}

/** Console output of the target goes to gdb's standard error, so both are one text here. */
function run(args: readonly string[], onStart: (pid: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const gdb = spawn('gdb', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    if (gdb.pid !== undefined) onStart(gdb.pid);
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    gdb.stdout.on('data', take);
    gdb.stderr.on('data', take);
    gdb.on('error', reject);
    gdb.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`gdb ended with ${status ?? 'a signal'} after:\n${output}`));
    });
  });
}
