/** Where in the guest a call of the ROM's came from. */
import type { Core } from '../../cpu/core.js';
import { readStack } from '../emulate.js';

const CALL_DIRECT = 0xe8;
const GROUP_5 = 0xff;
/** ModRM's reg field of CALL in group 5. */
const CALL_INDIRECT = 2;

/** A call under way: its stub's first instruction is next. */
export interface CallSite {
  /** Linear address of the CALL; the return address where none is to be seen before it. */
  readonly address: number;
  readonly isKnown: boolean;
}

/**
 * The CALL behind which the return address at the top of the stack is.
 * @param entry linear address of the stub.
 * @throws fault #PF where the stack can't be read.
 */
export function callSite(core: Core, entry: number): CallSite {
  const back = readStack(core, 0);
  const byte = (before: number): number => {
    const physical = core.mmu.peek((back - before) >>> 0);
    return physical < 0 ? -1 : core.physical.read(physical, 1);
  };
  if (byte(5) === CALL_DIRECT) {
    const relative = byte(4) | (byte(3) << 8) | (byte(2) << 16) | (byte(1) << 24);
    if (((back + relative) | 0) === (entry | 0)) return { address: (back - 5) | 0, isKnown: true };
  }
  for (const length of [6, 2, 3, 7]) {
    if (byte(length) === GROUP_5 && indirectLength(byte(length - 1), byte(length - 2)) === length) {
      return { address: (back - length) | 0, isKnown: true };
    }
  }
  return { address: back, isKnown: false };
}

/** The length of FF /2 with 32-bit addressing; 0 of another instruction. */
function indirectLength(modrm: number, sib: number): number {
  if (((modrm >> 3) & 7) !== CALL_INDIRECT) return 0;
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 3) return 2;
  const hasSib = rm === 4;
  const base = hasSib ? sib & 7 : rm;
  const displacement = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return 2 + (hasSib ? 1 : 0) + displacement;
}
