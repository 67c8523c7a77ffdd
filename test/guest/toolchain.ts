/** Builds guests with the binutils that are installed, and runs them under the QEMU that is. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
}

/** Whether a tool is installed whose `--version` says so. */
export function hasVersion(tool: string, version: RegExp): boolean {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return status === 0 && version.test(stdout);
}

/** The binutils that built the committed images: others may lay the same image out differently. */
export const hasBinutils: boolean = hasVersion('as', / 2\.40\b/) && hasVersion('ld', / 2\.40\b/);
export const hasMake: boolean = isInstalled('make');
export const hasQemu: boolean = isInstalled('qemu-system-i386');

function run(tool: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(tool, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
}

function withTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-guest-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Assembles and links as the Makefiles do. Symbols become options `--defsym NAME=value`. */
export function build(
  folder: string,
  source: string,
  script: string,
  symbols: Readonly<Record<string, number>> = {},
): Buffer {
  return withTemporaryFolder((output) => {
    const object = join(output, 'guest.o');
    const image = join(output, 'guest.elf');
    const defsyms = Object.entries(symbols).flatMap(([name, value]) => [
      '--defsym',
      `${name}=${value}`,
    ]);
    run('as', ['--32', ...defsyms, '-o', object, source], folder);
    const layout = ['-m', 'elf_i386', '-T', script, '-x', '--build-id=none'];
    run('ld', [...layout, '-z', 'max-page-size=4096', '-o', image, object], folder);
    return readFileSync(image);
  });
}

/** Runs the folder's Makefile, and returns the images named. */
export function make(folder: string, images: readonly string[]): Buffer[] {
  return withTemporaryFolder((output) => {
    run('make', [`OUT=${output}`], folder);
    return images.map((image) => readFileSync(join(output, image)));
  });
}

/** What an image printed on COM1 under QEMU, and QEMU's exit status. */
export function runUnderQemu(image: string): { stdout: string; status: number | null } {
  const devices = ['-serial', 'stdio', '-display', 'none', '-monitor', 'none', '-no-reboot'];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
  const { stdout, status } = spawnSync(
    'qemu-system-i386',
    ['-kernel', image, ...devices, ...exit],
    { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 20 },
  );
  return { stdout, status };
}
