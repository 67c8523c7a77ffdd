/**
 * The kernels of this folder, run in our own machine and under QEMU, and what they are to print.
 *
 * `NAME.txt` is what the manual says, and so what we print. `NAME.qemu.txt` has the lines that QEMU 7.2
 * prints otherwise, each paragraph below a comment that names the section of the manual that it departs
 * from, or says that the manual leaves it open. `NAME.386.txt` has those that `--cpu 386` prints
 * otherwise, and so on.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import type { MachineOptions } from '../../src/machine/machine-options.js';

export const FOLDER = import.meta.dirname;

/** Those that run to their end here and under QEMU. */
export const KERNELS = [
  'breakpoints',
  'calls',
  'descriptors',
  'double-faults',
  'encodings',
  'faults',
  'gates',
  'limits',
  'pae',
  'page-entries',
  'paging',
  'privilege',
  'real',
  'returns',
  'segments',
  'steps',
  'sysenter',
  'task-faults',
  'task-memory',
  'tasks',
  'v86',
  'v86-traps',
];

/** One after whose checks QEMU doesn't go on. */
export const LETHAL = 'lethal';
/** One that ends in a triple fault, in ways that its command line numbers. */
export const TRIPLE = 'shutdown';

/** How a kernel ends that ran to its end: with the status for what it writes to port F4h. */
export const DONE = 'exit 99';

const MEMORY_BYTES = 8 << 20;
/** Far more steps than any of them takes. */
const STEPS = 20_000_000;
/** Far more than QEMU takes for any of them that ends. */
const QEMU_MILLISECONDS = 60_000;
/** What stands between the name of a check and what came of it. */
const ARROW = ' -> ';

/** Where a kernel prints other lines: QEMU, or an older processor of ours. */
export type Variant = 'qemu' | '386' | '486' | '586';

/** The lines that a kernel printed, and how it ended: `exit 99`, `shutdown`, `until`. */
export interface Report {
  readonly lines: readonly string[];
  readonly end: string;
}

function imagePath(kernel: string): string {
  return join(FOLDER, `${kernel}.elf`);
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Runs a kernel in a machine of ours. */
export function runHere(kernel: string, options: Partial<MachineOptions>, cmdline = ''): Report {
  const machine = new Machine({ memoryBytes: MEMORY_BYTES, ...options });
  machine.requestClock = (source) => machine.inject({ kind: 'clock', source, value: 0 });
  const output: number[] = [];
  machine.onSerialOutput = (byte) => output.push(byte);
  const bytes = readFileSync(imagePath(kernel));
  loadImage(machine, { name: `${kernel}.elf`, bytes }, { cmdline });
  const exit = machine.run(STEPS);
  const lines = linesOf(Buffer.from(output).toString('latin1'));
  const status = (((machine.exitValue ?? 0) << 1) | 1) & 0xff;
  return { lines, end: exit === 'exit' ? `exit ${status}` : exit };
}

/** Runs a kernel under QEMU's own translator, whatever the host could do. */
export function runInQemu(kernel: string, cmdline = ''): Report {
  const image = ['-kernel', imagePath(kernel), '-append', cmdline, '-m', '8'];
  const devices = ['-serial', 'stdio', '-display', 'none', '-monitor', 'none', '-no-reboot'];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
  const words = ['-accel', 'tcg', ...image, ...devices, ...exit];
  const { stdout, status } = spawnSync('qemu-system-i386', words, {
    encoding: 'latin1',
    timeout: QEMU_MILLISECONDS,
  });
  return { lines: linesOf(stdout), end: status === 0 ? 'shutdown' : `exit ${status ?? 'never'}` };
}

/** What a kernel is to print. */
export function expectedLines(kernel: string): string[] {
  return linesOf(readFileSync(join(FOLDER, `${kernel}.txt`), 'utf8'));
}

function nameOf(line: string): string {
  return line.split(ARROW)[0] ?? line;
}

/** A variant's lines that are not what is expected, by the name of the check. */
function otherLines(
  kernel: string,
  variant: Variant,
  expected: readonly string[],
): Map<string, string> {
  const others = new Map<string, string>();
  const path = join(FOLDER, `${kernel}.${variant}.txt`);
  if (!existsSync(path)) return others;
  const names = new Set(expected.map(nameOf));
  let hasReason = false;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('# ')) {
      hasReason = line !== '';
      continue;
    }
    if (!hasReason) throw new Error(`${path}: no reason above "${line}"`);
    if (expected.includes(line)) throw new Error(`${path}: "${line}" is what is expected`);
    if (!names.has(nameOf(line))) throw new Error(`${path}: no check is called "${nameOf(line)}"`);
    others.set(nameOf(line), line);
  }
  return others;
}

/**
 * What a kernel is known to print elsewhere: the expected lines, with those in place that differ there.
 * @param printed what it printed: where the list has `NAME -> *`, that is anything but what is expected.
 * @throws Error where the list has a line that is no check's, that is expected, or that has no reason.
 */
export function linesElsewhere(
  kernel: string,
  variant: Variant,
  printed: readonly string[],
): string[] {
  const expected = expectedLines(kernel);
  const others = otherLines(kernel, variant, expected);
  return expected.map((line, i) => {
    const other = others.get(nameOf(line));
    if (other !== `${nameOf(line)}${ARROW}*`) return other ?? line;
    const found = printed[i] ?? '';
    return nameOf(found) === nameOf(line) && found !== line ? found : other;
  });
}
