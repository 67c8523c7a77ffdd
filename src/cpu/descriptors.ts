/**
 * Descriptors: what the eight bytes mean, and how they are found in the GDT and the LDT.
 *
 * Access rights are kept as everywhere in the state: the second dword's bits 8 to 23, shifted right by
 * 8, without the limit's part. Descriptor tables are read and written as supervisor whatever the CPL.
 *
 * Sources: Intel SDM vol. 3A §3.4.5, §3.5, §5.8.3 and §7.2.
 */
import type { Core } from './core.js';
import { raise, VECTOR_GP } from './fault.js';
import { GDTR_BASE, GDTR_LIMIT, SEG_LDTR } from './state-layout.js';

/** The type field: of a system descriptor all of it; of code and data see the bits below. */
export const ACCESS_TYPE = 0x0f;
export const ACCESS_ACCESSED = 0x01;
/** Of data: may be written. Of code: may be read. */
export const ACCESS_WRITABLE = 0x02;
export const ACCESS_READABLE = 0x02;
/** Of data: expands down. Of code: conforming. */
export const ACCESS_EXPAND_DOWN = 0x04;
export const ACCESS_CONFORMING = 0x04;
export const ACCESS_CODE = 0x08;
/** Code or data, not a system descriptor. */
export const ACCESS_S = 0x10;
export const ACCESS_DPL_SHIFT = 5;
export const ACCESS_PRESENT = 0x80;
/** CS.D, SS.B, or the upper bound of an expand-down segment is 32 bits wide. */
export const ACCESS_BIG = 0x4000;
export const ACCESS_GRANULARITY = 0x8000;
/** What a segment register keeps: all but the limit's bits 16 to 19. */
const ACCESS_KEPT = 0xf0ff;

// Types of system descriptors.
export const TYPE_TSS16 = 1;
export const TYPE_LDT = 2;
export const TYPE_TSS16_BUSY = 3;
export const TYPE_CALL_GATE16 = 4;
export const TYPE_TASK_GATE = 5;
export const TYPE_INTERRUPT_GATE16 = 6;
export const TYPE_TRAP_GATE16 = 7;
export const TYPE_TSS32 = 9;
export const TYPE_TSS32_BUSY = 11;
export const TYPE_CALL_GATE32 = 12;
export const TYPE_INTERRUPT_GATE32 = 14;
export const TYPE_TRAP_GATE32 = 15;
/** Set in the type of every busy TSS. */
export const TYPE_BUSY = 2;
/** Set in the type of gates and TSSs of 32 bits. */
export const TYPE_32 = 8;

/** Set in a selector: it names an entry of the LDT. */
export const SELECTOR_TI = 4;
export const SELECTOR_RPL = 3;

/** A null selector: index 0 of the GDT, whatever its RPL. */
export function isNullSelector(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/** The DPL in access rights. */
export function accessDpl(access: number): number {
  return (access >> ACCESS_DPL_SHIFT) & 3;
}

/** Access rights are a code segment's. */
export function isCode(access: number): boolean {
  return (access & (ACCESS_S | ACCESS_CODE)) === (ACCESS_S | ACCESS_CODE);
}

/** Access rights are a conforming code segment's. */
export function isConformingCode(access: number): boolean {
  const mask = ACCESS_S | ACCESS_CODE | ACCESS_CONFORMING;
  return (access & mask) === mask;
}

/** Access rights are a data segment's that may be written. */
export function isWritableData(access: number): boolean {
  return (access & (ACCESS_S | ACCESS_CODE | ACCESS_WRITABLE)) === (ACCESS_S | ACCESS_WRITABLE);
}

/** Access rights are a data segment's, or a code segment's that may be read. */
export function isReadable(access: number): boolean {
  return (access & ACCESS_S) !== 0 && (access & (ACCESS_CODE | ACCESS_READABLE)) !== ACCESS_CODE;
}

/**
 * A descriptor as it was read, with the selector that named it. Procedures keep a few of these for
 * good and fill them anew, so that no load of a segment allocates.
 */
export class Descriptor {
  selector = 0;
  /** Linear address of the eight bytes. */
  address = 0;
  low = 0;
  high = 0;

  /** Access rights as a segment register keeps them. */
  get access(): number {
    return (this.high >>> 8) & ACCESS_KEPT;
  }
  get type(): number {
    return (this.high >>> 8) & ACCESS_TYPE;
  }
  get dpl(): number {
    return (this.high >>> (8 + ACCESS_DPL_SHIFT)) & 3;
  }
  get isPresent(): boolean {
    return (this.high & (ACCESS_PRESENT << 8)) !== 0;
  }
  get isSystem(): boolean {
    return (this.high & (ACCESS_S << 8)) === 0;
  }
  get base(): number {
    return (this.low >>> 16) | ((this.high & 0xff) << 16) | (this.high & 0xff000000);
  }
  /** The limit in bytes, granularity applied, signed. */
  get limit(): number {
    const limit = (this.low & 0xffff) | (this.high & 0xf0000);
    return this.high & (ACCESS_GRANULARITY << 8) ? (limit << 12) | 0xfff : limit;
  }

  /** Of a gate: the selector that it leads to. */
  get gateSelector(): number {
    return this.low >>> 16;
  }
  /** Of a gate: the offset that it leads to, of a 16-bit gate 16 bits. */
  get gateOffset(): number {
    const low = this.low & 0xffff;
    return this.high & (TYPE_32 << 8) ? low | (this.high & 0xffff0000) : low;
  }
}

/** The descriptor that a selector names lies wholly inside its table. */
export function isWithinTable(core: Core, selector: number): boolean {
  const state = core.state;
  const last = (selector & 0xfff8) + 7;
  if ((selector & SELECTOR_TI) === 0) return last <= (state.get(GDTR_LIMIT) & 0xffff);
  return (
    (state.segmentAccess(SEG_LDTR) & ACCESS_PRESENT) !== 0 &&
    last <= state.segmentLimit(SEG_LDTR) >>> 0
  );
}

/**
 * Reads the descriptor that a selector names. The null selector is not looked for here: index 0 is
 * read like any other.
 * @param external 1 where the error code of a fault is to have its EXT bit set, else 0.
 * @throws fault `vector` with the selector as error code where it lies beyond its table; #PF.
 */
export function readDescriptor(
  core: Core,
  into: Descriptor,
  selector: number,
  vector: number = VECTOR_GP,
  external = 0,
): void {
  const { state, mmu } = core;
  if (!isWithinTable(core, selector)) raise(vector, (selector & 0xfffc) | external);
  const { interceptor } = core;
  const gdt = interceptor === null ? state.get(GDTR_BASE) : interceptor.gdtBase;
  const table = selector & SELECTOR_TI ? state.segmentBase(SEG_LDTR) : gdt;
  const address = (table + (selector & 0xfff8)) | 0;
  into.selector = selector & 0xffff;
  into.address = address;
  into.low = mmu.read(address, 4, false);
  into.high = mmu.read((address + 4) | 0, 4, false);
  interceptor?.adjust(into);
}

/**
 * As `readDescriptor`, for instructions that give up without a fault (LAR, LSL, VERR, VERW).
 * @returns false where the selector is null or lies beyond its table.
 * @throws fault #PF.
 */
export function tryReadDescriptor(core: Core, into: Descriptor, selector: number): boolean {
  if (isNullSelector(selector) || !isWithinTable(core, selector)) return false;
  readDescriptor(core, into, selector);
  return true;
}

/**
 * Throws what `markAccessed` would throw.
 * @throws fault #PF.
 */
export function probeAccessed(core: Core, descriptor: Descriptor): void {
  if ((descriptor.high & (ACCESS_ACCESSED << 8)) === 0) {
    core.mmu.probeWrite((descriptor.address + 5) | 0, 1, false);
  }
}

/**
 * Sets or clears the busy bit of a TSS descriptor in the GDT, and changes no other bit there.
 * @throws fault #PF.
 */
export function setBusy(core: Core, tss: Descriptor, isBusy: boolean): void {
  const at = (tss.address + 5) | 0;
  const access = core.mmu.read(at, 1, false);
  core.mmu.write(at, 1, isBusy ? access | TYPE_BUSY : access & ~TYPE_BUSY, false);
}

/** Sets the accessed bit of a code or data segment's descriptor, in its table and in `descriptor`. */
export function markAccessed(core: Core, descriptor: Descriptor): void {
  if (descriptor.high & (ACCESS_ACCESSED << 8)) return;
  descriptor.high |= ACCESS_ACCESSED << 8;
  core.mmu.write((descriptor.address + 5) | 0, 1, (descriptor.high >>> 8) & 0xff, false);
}
