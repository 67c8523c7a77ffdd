/**
 * Where a processor of ours differs from the one that made the cases, and is meant to. A case that
 * differs otherwise than its row says has failed.
 */
import type { RealModeCase, RealRegister } from './real-mode-case.js';

export interface Difference {
  readonly name: string;
  readonly reason: string;
}

/** A difference between a 386 and the 286 of the real-mode cases. */
export interface RealModeDifference extends Difference {
  appliesTo(test: RealModeCase): boolean;
  /** The exception that the instruction takes in ours with nothing changed; null where it takes none. */
  readonly vector: number | null;
  /** Registers alone that differ; null where the outcome as a whole is another. */
  readonly registers: readonly RealRegister[] | null;
}

interface Encoded {
  readonly prefixes: readonly number[];
  readonly opcode: number;
  /** The byte behind the opcode. */
  readonly modrm: number;
  /** Bytes of the instruction, prefixes included. */
  readonly length: number;
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0, 0xf2, 0xf3]);
const STRINGS = new Set([
  ...[0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7],
  ...[0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf],
]);
const SEGMENT_PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e]);
const OVERRIDE_SS = 0x36;
const LEAVE = 0xc9;
const LONGEST_286 = 10;
const OFFSET_OF_LAST_BYTE = 0xffff;

function encoded(test: RealModeCase): Encoded {
  const bytes = [...Buffer.from(test.code, 'hex')];
  const at = bytes.findIndex((byte) => !PREFIXES.has(byte));
  // The HLT is the last byte.
  return {
    prefixes: bytes.slice(0, at),
    opcode: bytes[at],
    modrm: bytes[at + 1],
    length: bytes.length - 1,
  };
}

/** A 386 allows LOCK: a read-modify-write of memory by an instruction of the manual's list. */
function isLockable({ opcode, modrm }: Encoded): boolean {
  if (modrm >= 0xc0) return false;
  const reg = (modrm >> 3) & 7;
  if (opcode < 0x38) return (opcode & 7) < 2;
  if (opcode >= 0x80 && opcode <= 0x83) return reg !== 7;
  if (opcode === 0x86 || opcode === 0x87) return true;
  if (opcode === 0xf6 || opcode === 0xf7) return reg === 2 || reg === 3;
  return (opcode === 0xfe || opcode === 0xff) && reg < 2;
}

/** The instruction reaches beyond the end of SS: through SP, BP of LEAVE, or an override of a string's. */
function crossesStackEnd(test: RealModeCase): boolean {
  if (test.exc?.[0] !== 13) return false;
  const { opcode, prefixes } = encoded(test);
  const { sp, bp, si } = test.init;
  const override = prefixes.findLast((byte) => SEGMENT_PREFIXES.has(byte));
  if (STRINGS.has(opcode)) return override === OVERRIDE_SS && si === OFFSET_OF_LAST_BYTE;
  return (opcode === LEAVE ? bp : sp) === OFFSET_OF_LAST_BYTE;
}

function hasIllegalLock(test: RealModeCase): boolean {
  const code = encoded(test);
  return code.prefixes.includes(0xf0) && !isLockable(code);
}

/** A MOV from or to FS or GS. */
function namesFsOrGs(test: RealModeCase): boolean {
  const { opcode, modrm } = encoded(test);
  const reg = (modrm >> 3) & 7;
  return test.exc?.[0] === 6 && (opcode & 0xfd) === 0x8c && (reg === 4 || reg === 5);
}

export const REAL_MODE_DIFFERENCES: readonly RealModeDifference[] = [
  {
    name: 'LOCK',
    reason: 'a 286 takes LOCK before any instruction, a 386 raises #UD where it is not allowed',
    appliesTo: hasIllegalLock,
    vector: 6,
    registers: null,
  },
  {
    name: 'stack fault',
    reason:
      'beyond the end of the stack segment a 286 in real mode takes interrupt 13, a 386 takes 12',
    appliesTo: crossesStackEnd,
    vector: 12,
    registers: null,
  },
  {
    name: 'length',
    reason: 'a 286 takes interrupt 13 on more than 10 bytes, a 386 on more than 15',
    appliesTo: (test) => test.exc?.[0] === 13 && encoded(test).length > LONGEST_286,
    vector: null,
    registers: null,
  },
  {
    name: 'FS and GS',
    reason: 'a 286 has no FS and GS, and raises #UD where they are named',
    appliesTo: namesFsOrGs,
    vector: null,
    registers: null,
  },
  {
    name: 'string restart',
    reason:
      'after a fault of a string instruction a 286 leaves CX, SI and DI as it had counted them already, a 386 as the iteration began',
    appliesTo: (test) => test.exc?.[0] === 13 && STRINGS.has(encoded(test).opcode),
    vector: 13,
    registers: ['cx', 'si', 'di'],
  },
];
