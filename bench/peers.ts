/** Who is measured: holdoff in its three modes, and what it is compared with, as far as it is there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundle } from '../scripts/bundling.js';

/** A folder of the repository. */
const root = new URL('..', import.meta.url).pathname;
export const kernelsImage: string = join(root, 'bench/guest/bench.elf');
const linux = join(root, '.cache/linux');
export const hasLinux: boolean = existsSync(join(linux, 'initramfs.cpio.gz'));
const vmlinuz = join(linux, 'vmlinuz');
const initrd = join(linux, 'initramfs.cpio.gz');
const CMDLINE = 'console=ttyS0 acpi=off noapic nolapic pci=off';

const require = createRequire(import.meta.url);
/** Where the peer that is holdoff is built, as the command itself is. */
const BUILT = 'build/bench';
const holdoff = [process.execPath, join(root, BUILT, 'holdoff.js')];
const tsx = [process.execPath, '--import', `file://${require.resolve('tsx')}`];
const v86 = [...tsx, join(root, 'bench/peers/v86.ts')];
const SEABIOS = '/usr/share/seabios/bios.bin';
const VGABIOS = '/usr/share/seabios/vgabios-stdvga.bin';
const qemu =
  'qemu-system-i386 -display none -monitor none -serial stdio -net none -no-reboot'.split(' ');

/** What is run. */
export type Workload = 'kernels' | 'linux';

/** One of those who are measured. Those of one round run in this order: a replay follows its recording. */
export interface Peer {
  readonly name: string;
  /** Null where it cannot run this. @param folder for its trace. */
  command(workload: Workload, folder: string): readonly string[] | null;
}

function isThere(command: string, ...words: string[]): boolean {
  return spawnSync(command, words).status === 0;
}

const hasQemu = isThere('qemu-system-i386', '--version');
const hasV86 = ((): boolean => {
  try {
    require.resolve('v86');
    return true;
  } catch {
    return false;
  }
})();

function live(verb: readonly string[], workload: Workload): string[] {
  const options = ['--clock', 'host'];
  if (workload === 'kernels')
    return [...holdoff, verb[0], kernelsImage, ...verb.slice(1), ...options];
  const guest = ['--initrd', initrd, '--cmdline', CMDLINE, '--memory', '256M'];
  if (verb[0] === 'record') guest.push('--images', 'outside');
  return [...holdoff, verb[0], vmlinuz, ...verb.slice(1), ...guest, ...options];
}

function qemuWith(workload: Workload, ...options: string[]): string[] | null {
  if (!hasQemu) return null;
  const guest =
    workload === 'kernels'
      ? ['-m', '64', '-kernel', kernelsImage, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
      : ['-m', '256', '-kernel', vmlinuz, '-initrd', initrd, '-append', CMDLINE];
  return [...qemu, ...guest, ...options];
}

/** @param native the native program, built; null where it cannot be built. */
export function peers(native: string | null): readonly Peer[] {
  const trace = (folder: string): string => join(folder, 'holdoff.trace');
  const log = (folder: string): string => join(folder, 'qemu.rr');
  return [
    { name: 'native', command: (workload) => (workload === 'kernels' && native ? [native] : null) },
    { name: 'run', command: (workload) => live(['run'], workload) },
    { name: 'record', command: (workload, folder) => live(['record', trace(folder)], workload) },
    { name: 'replay', command: (_, folder) => [...holdoff, 'replay', trace(folder)] },
    { name: 'QEMU', command: (workload) => qemuWith(workload) },
    {
      name: 'QEMU record',
      command: (workload, folder) =>
        qemuWith(workload, '-icount', `shift=3,rr=record,rrfile=${log(folder)}`),
    },
    {
      name: 'QEMU replay',
      command: (workload, folder) =>
        qemuWith(workload, '-icount', `shift=3,rr=replay,rrfile=${log(folder)}`),
    },
    {
      name: 'v86',
      command: (workload) => {
        if (!hasV86) return null;
        if (workload === 'kernels') return [...v86, workload, kernelsImage];
        if (!existsSync(SEABIOS) || !existsSync(VGABIOS)) return null;
        return [...v86, workload, vmlinuz, initrd, CMDLINE, SEABIOS, VGABIOS];
      },
    },
  ];
}

/** Builds holdoff, as it is in the sources now. */
export function buildHoldoff(): Promise<void> {
  return bundle(['bench/peers/holdoff.ts'], BUILT);
}

/** Builds the native program into the folder; null where there is no compiler for 32 bits. */
export function buildNative(folder: string): string | null {
  const guest = join(root, 'bench/guest');
  const target = join(folder, 'native');
  return isThere('make', '-C', guest, `OUT=${folder}`, target) ? target : null;
}
