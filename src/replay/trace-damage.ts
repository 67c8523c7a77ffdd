/**
 * What can be wrong with a trace on disk, as values. A trace is untrusted: whatever its bytes are, the
 * reader answers with one of these and throws nothing.
 */

/**
 * `foreign`: not a trace at all. `unsupported`: written by a newer holdoff, and what it says cannot be
 * left out. `cut`: the file ends too early, as when its recorder was killed; what came before is whole.
 * `corrupt`: bytes that no recorder wrote.
 */
export type DamageKind = 'foreign' | 'unsupported' | 'cut' | 'corrupt';

/** The first thing wrong with a trace. All before `offset` was checked and is whole. */
export interface TraceDamage {
  readonly kind: DamageKind;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Sequence number of the chunk that it lies in; null for the first 16 bytes of the file. */
  readonly chunk: number | null;
  /** Of a chunk that is stored compressed: bytes from the start of its unpacked payload. */
  readonly unpackedOffset?: number;
  readonly expected: string;
  readonly found: string;
}

/** A value, or the damage that stands in its place. */
export type Checked<T> =
  | { readonly isWhole: true; readonly value: T }
  | { readonly isWhole: false; readonly damage: TraceDamage };

/** `byte 57 (chunk 1): expected checksum 0x12ab..., found 0x12aa...`. One line without a full stop. */
export function describeDamage(damage: TraceDamage): string {
  const { kind, offset, chunk, unpackedOffset, expected, found } = damage;
  const place = [
    ...(chunk === null ? [] : [`chunk ${chunk}`]),
    ...(unpackedOffset === undefined ? [] : [`byte ${unpackedOffset} of it unpacked`]),
  ].join(', ');
  const where = `byte ${offset}${place === '' ? '' : ` (${place})`}`;
  const advice = kind === 'unsupported' ? '; a newer holdoff wrote it, use that one' : '';
  return `${where}: expected ${expected}, found ${found}${advice}`;
}

export type MalformedKind = Exclude<DamageKind, 'foreign'>;

/**
 * Thrown by what decodes a chunk's payload, caught where the chunk is read and turned into damage there.
 * Never leaves src/replay.
 */
export class Malformed extends Error {
  readonly kind: MalformedKind;
  /** Bytes from the start of what was being decoded: a frame, or an unpacked payload. */
  readonly offset: number;
  readonly expected: string;
  readonly found: string;

  constructor(offset: number, expected: string, found: string, kind: MalformedKind = 'corrupt') {
    super(`expected ${expected}, found ${found}`);
    this.offset = offset;
    this.expected = expected;
    this.found = found;
    this.kind = kind;
  }
}
