/** Files that are surely no flat binary, so that one given by mistake is not run as code. */

const MAGICS: readonly (readonly [what: string, ...bytes: number[]])[] = [
  ['a holdoff trace', 0xc4, 0x0e, 0x68, 0x6f, 0x6c, 0x64, 0x6f, 0x66, 0x66],
  ['compressed (gzip)', 0x1f, 0x8b, 0x08],
  ['compressed (xz)', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['a zip archive', 0x50, 0x4b, 0x03, 0x04],
  ['an archive of object files', 0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e],
];
/** Control characters that text has: tab, newline, form feed, carriage return. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d]);

/** What the file is, to follow "is"; null where it may be code. */
export function foreignKind(bytes: Uint8Array): string | null {
  for (const [what, ...magic] of MAGICS) {
    if (magic.every((byte, at) => bytes[at] === byte)) return what;
  }
  return bytes.length > 0 && isText(bytes) ? 'text' : null;
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && !TEXT_CONTROLS.has(byte))))
    return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
