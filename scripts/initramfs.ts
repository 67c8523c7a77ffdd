/**
 * Packs an initramfs of an init script and busybox: `tsx scripts/initramfs.ts INIT BUSYBOX OUTPUT`. The
 * same inputs give the same bytes. The format is "newc" of cpio(5), gzip around it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const MAGIC = '070701';
const DIRECTORY = 0o040755;
const EXECUTABLE = 0o100755;
const CHARACTER_DEVICE = 0o020600;
/** Major and minor number of /dev/console, which the kernel opens for process 1. */
const CONSOLE = [5, 1] as const;

/** One header, name and content, each padded to 4 bytes. */
function entry(
  inode: number,
  name: string,
  mode: number,
  content: Uint8Array = new Uint8Array(),
  device: readonly [number, number] = [0, 0],
): Uint8Array {
  const nameBytes = Buffer.from(`${name}\0`);
  // inode, mode, uid, gid, links, mtime, size, device of the file, device that it is, name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, nameBytes.length, 0];
  const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), nameBytes])), padded(content)]);
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

const [initPath, busyboxPath, outputPath] = process.argv.slice(2);
const directories = ['bin', 'dev', 'proc', 'sys', 'tmp'];
const parts = [
  ...directories.map((name, index) => entry(index + 1, name, DIRECTORY)),
  entry(10, 'dev/console', CHARACTER_DEVICE, undefined, CONSOLE),
  entry(11, 'bin/busybox', EXECUTABLE, readFileSync(busyboxPath)),
  entry(12, 'init', EXECUTABLE, readFileSync(initPath)),
  entry(0, 'TRAILER!!!', 0),
];
writeFileSync(outputPath, gzipSync(Buffer.concat(parts), { level: 9 }));
