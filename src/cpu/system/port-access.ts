/** Permission to use an I/O port, and I/O breakpoints. */
import type { AccessSize } from '../bus.js';
import { CR4_DE } from '../control-registers.js';
import type { Core } from '../core.js';
import { ACCESS_S, ACCESS_TYPE, TYPE_BUSY, TYPE_TSS32 } from '../descriptors.js';
import { EFLAGS_VM } from '../eflags.js';
import { raise, VECTOR_GP } from '../fault.js';
import { isProtectedMode } from '../segmentation.js';
import { DR0, DR7, FLAG_SYSTEM, PENDING_DEBUG, SEG_TR } from '../state-layout.js';
import { hasIoPrivilege } from './flags-instructions.js';

/** Offset of the word in a 32-bit TSS that says where the I/O permission bit map begins. */
const TSS_IO_MAP_BASE = 0x66;
/** DR7's R/W field: break on I/O. */
const BREAK_ON_IO = 2;

/**
 * Throws unless ports `port` to `port + size - 1` may be used: where CPL > IOPL, and always in
 * virtual-8086 mode, their bits in the bit map of the 32-bit TSS must be clear. Two bytes of the map
 * are read even where the bits are all in the first, so the byte after the last one must be within
 * the TSS's limit too. Intel SDM vol. 1 §18.5.2.
 * @throws fault #GP(0), or #PF where the map isn't present.
 */
export function checkPortAccess(core: Core, port: number, size: AccessSize): void {
  const { state } = core;
  const isVirtual8086 = (state.get(FLAG_SYSTEM) & EFLAGS_VM) !== 0;
  if (!isVirtual8086) {
    if (!isProtectedMode(state) || hasIoPrivilege(state)) return;
  }
  const limit = state.segmentLimit(SEG_TR) >>> 0;
  const type = state.segmentAccess(SEG_TR) & (ACCESS_S | ACCESS_TYPE) & ~TYPE_BUSY;
  if (type !== TYPE_TSS32 || limit < TSS_IO_MAP_BASE + 1) raise(VECTOR_GP, 0);
  const tss = state.segmentBase(SEG_TR);
  const offset = core.mmu.read((tss + TSS_IO_MAP_BASE) | 0, 2, false) + (port >>> 3);
  if (offset + 1 > limit) raise(VECTOR_GP, 0);
  const bits = core.mmu.read((tss + offset) | 0, 2, false) >>> (port & 7);
  if (bits & ((1 << size) - 1)) raise(VECTOR_GP, 0);
}

/**
 * Notes a debug trap for each enabled I/O breakpoint that the access touches; call it once the access
 * is done. Intel SDM vol. 3B §17.2.5.
 */
export function notePortAccess(core: Core, port: number, size: AccessSize): void {
  const { state } = core;
  const dr7 = state.get(DR7);
  if (!(dr7 & 0xff) || !(state.cr4 & CR4_DE)) return;
  for (let index = 0; index < 4; index++) {
    const isEnabled = (dr7 >>> (index * 2)) & 3;
    const kind = (dr7 >>> (16 + index * 4)) & 3;
    if (!isEnabled || kind !== BREAK_ON_IO) continue;
    const lengthBits = (dr7 >>> (18 + index * 4)) & 3;
    // The ports covered are aligned to their number: 1, 2 or 4.
    const first = state.get(DR0 + index * 4) & ~lengthBits;
    if (port + size <= first >>> 0 || port > (first >>> 0) + lengthBits) continue;
    state.set(PENDING_DEBUG, state.get(PENDING_DEBUG) | (1 << index));
    core.attention();
  }
}
