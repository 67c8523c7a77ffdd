/**
 * v86 in Node as a peer of the benchmarks: `tsx bench/peers/v86.ts kernels IMAGE`, or
 * `... linux KERNEL INITRD CMDLINE BIOS VGABIOS`. A multiboot image needs no BIOS; Linux does.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { V86, type V86Options } from 'v86';
import { LineStamps } from './stamps.js';

const MIB = 1 << 20;
/** Seconds after which a guest that hangs is given up. */
const TIMEOUT = 600;
const [kind, image, initrd, cmdline, bios, vgaBios] = process.argv.slice(2);
const wasm = join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm');

function file(path: string): { buffer: ArrayBuffer } {
  const bytes = Uint8Array.from(readFileSync(path));
  return { buffer: bytes.buffer };
}

const guest: V86Options =
  kind === 'kernels'
    ? { memory_size: 64 * MIB, multiboot: file(image) }
    : {
        memory_size: 256 * MIB,
        bios: file(bios),
        vga_bios: file(vgaBios),
        bzimage: file(image),
        initrd: file(initrd),
        cmdline,
      };
const emulator = new V86({
  ...guest,
  wasm_path: wasm,
  vga_memory_size: MIB,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
const stamps = new LineStamps((line) => {
  if (line === 'DONE' || line.includes('reboot: machine restart')) process.exit(0);
});
emulator.add_listener('serial0-output-byte', (byte: number) => stamps.take(byte));
setTimeout(() => process.exit(1), TIMEOUT * 1000);
