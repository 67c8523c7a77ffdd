/**
 * Builds the program of this folder, once for the host's own 32-bit system, once inside a kernel for
 * ours: the same bytes at the same addresses.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdoff } from '../../cli/holdoff.js';

const SOURCES = import.meta.dirname;
/** The program with its zeros ends below this: nothing else may be loaded there. */
const PROGRAM_END = '0x420000';
const C_FLAGS = [
  ...['-m32', '-c', '-O2', '-march=i386', '-std=c11', '-ffreestanding', '-fno-builtin', '-fno-pie'],
  ...['-fno-stack-protector', '-fcf-protection=none', '-fno-asynchronous-unwind-tables'],
  '-fno-tree-loop-distribute-patterns',
];

/** One block of one row, to be shown in full. */
export interface Detail {
  readonly row: number;
  readonly block: number;
}

/** What the program printed, line by line. */
export interface Outputs {
  readonly native: readonly string[];
  readonly ours: readonly string[];
}

function succeeds(command: string, args: readonly string[], input = ''): boolean {
  return spawnSync(command, args, { input }).status === 0;
}

/** What this host lacks to build and run 32-bit programs, or null. */
export function missingTool(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-native-'));
  try {
    const probe = join(folder, 'probe');
    const source = 'int main(void) { return 0; }';
    const isBuilt = succeeds('gcc', ['-m32', '-static', '-x', 'c', '-', '-o', probe], source);
    if (!isBuilt) return 'gcc -m32';
    if (!succeeds(probe, [])) return 'a system that runs 32-bit programs';
    return succeeds('objcopy', ['--version']) ? null : 'binutils';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command: string, args: readonly string[], folder: string): string {
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${status}: ${stderr}`);
  return stdout;
}

function build(folder: string, detail: Detail | null): void {
  const defines =
    detail === null ? [] : [`-DDETAIL_ROW=${detail.row}`, `-DDETAIL_BLOCK=${detail.block}`];
  for (const name of ['execute', 'instructions']) {
    run('gcc', ['-m32', '-c', join(SOURCES, `${name}.S`), '-o', `${name}.o`], folder);
  }
  run('gcc', [...C_FLAGS, ...defines, join(SOURCES, 'program.c'), '-o', 'program.o'], folder);
  const objects = ['execute.o', 'program.o', 'instructions.o'];
  const link = ['-m', 'elf_i386', '-T'];
  run('ld', [...link, join(SOURCES, 'program.ld'), '-o', 'program', ...objects], folder);
  run('objcopy', ['-O', 'binary', '--pad-to', PROGRAM_END, 'program', 'program.bin'], folder);
  const program = '-DPROGRAM_FILE="program.bin"';
  run('gcc', ['-m32', '-c', program, join(SOURCES, 'kernel.S'), '-o', 'kernel.o'], folder);
  run('ld', [...link, join(SOURCES, 'kernel.ld'), '-o', 'kernel.elf', 'kernel.o'], folder);
}

function lines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** Builds the program and runs it on both processors. */
export async function runOnBoth(detail: Detail | null = null): Promise<Outputs> {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-native-'));
  try {
    build(folder, detail);
    const native = lines(run(join(folder, 'program'), [], folder));
    const { stdout, stderr, status } = await holdoff(['run', join(folder, 'kernel.elf')]);
    if (status !== 99) throw new Error(`our run ended with status ${status}: ${stderr}`);
    return { native, ours: lines(stdout.toString()) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
