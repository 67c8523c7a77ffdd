/**
 * Where everything lies in the one WebAssembly.Memory: the architectural state of the CPU, what the
 * engine keeps beside it (TLB, jump cache, decoded instructions), and the guest's RAM.
 *
 * Each offset is in bytes from the start of the memory and is defined here and nowhere else. What
 * lies below `ARCHITECTURAL_END` is the processor as a manual knows it (with the lazy flags and the
 * step budget as the two exceptions, see `State.architecturalBytes`); what lies between it and
 * `RAM_BASE` is cache, can be dropped at any instant, and is never part of a digest.
 */

/**
 * Counts changes of anything below ARCHITECTURAL_END. Traces hold states as bytes, and name the layout
 * that they have: a state of another layout is not read.
 */
export const LAYOUT_VERSION = 1;

// General registers in encoding order, four bytes each. Byte registers are byte addresses in here:
// AL is EAX + 0 and AH is EAX + 1, as the processor is little-endian too.
export const EAX = 0x00;
export const ECX = 0x04;
export const EDX = 0x08;
export const EBX = 0x0c;
export const ESP = 0x10;
export const EBP = 0x14;
export const ESI = 0x18;
export const EDI = 0x1c;
/** Four bytes that are always zero: "no base" and "no index" of an effective address. */
export const ZERO = 0x20;
export const EIP = 0x24;
/** Lazy arithmetic flags, see eflags.ts. */
export const FLAG_RESULT = 0x28;
export const FLAG_AUX = 0x2c;
/** EFLAGS without CF, PF, AF, ZF, SF and OF, which are in FLAG_RESULT and FLAG_AUX. */
export const FLAG_SYSTEM = 0x30;
/** Steps that the engine may still take before it must return to the run loop. Not architectural. */
export const BUDGET = 0x34;
/** What decoding and the jump cache depend on, see `MODE_*`. Derived from the segment registers. */
export const MODE = 0x38;
/** ESP at the start of an instruction that moves it before it may fault; valid while ESP_GUARD is 1. */
export const SAVED_ESP = 0x3c;
export const ESP_GUARD = 0x40;
/** Interrupt shadow: one of `SHADOW_*`. */
export const SHADOW = 0x44;
/** 1 from the delivery of an NMI to the next IRET. */
export const NMI_BLOCKED = 0x48;
/** 1 while HLT waits. */
export const HALTED = 0x4c;
/** DR6 bits of debug traps that wait for the next boundary at which they may be delivered. */
export const PENDING_DEBUG = 0x50;
export const CPL = 0x54;
/** The INTR pin, 0 or 1. */
export const INTR = 0x58;
/** 1 when an NMI edge has arrived and was not yet delivered. */
export const NMI_PENDING = 0x5c;
/** 1 after a triple fault: only a reset gets the processor out of it. */
export const SHUTDOWN = 0x60;
/** Byte offset of the TLB that the present CPL uses. Derived from CPL. */
export const TLB_BASE = 0x64;
/** float64: steps so far that retired no instruction (deliveries, iterations of a REP but its last). */
export const UNRETIRED = 0x68;

/** Segment registers: selector, base, limit, access rights, and two derived limits for fast checks. */
export const SEGMENTS = 0x80;
export const SEGMENT_BYTES = 32;
export const SEGMENT_SELECTOR = 0;
export const SEGMENT_BASE = 4;
/** The limit in bytes, granularity applied. */
export const SEGMENT_LIMIT = 8;
/** Bits 8 to 23 of the descriptor's second dword, shifted right by 8: type, S, DPL, P, AVL, D/B, G. */
export const SEGMENT_ACCESS = 12;
/**
 * An access of up to 4 bytes at offset `o` needs no further check when `o` is below this, unsigned:
 * limit - 2 of a usable expand-up segment, 0 where every access needs the full check.
 */
export const SEGMENT_READ_BELOW = 16;
export const SEGMENT_WRITE_BELOW = 20;

export const GDTR_BASE = 0x180;
export const GDTR_LIMIT = 0x184;
export const IDTR_BASE = 0x188;
export const IDTR_LIMIT = 0x18c;
export const CR0 = 0x190;
export const CR2 = 0x194;
export const CR3 = 0x198;
export const CR4 = 0x19c;
/** DR0 to DR7, four bytes each. */
export const DR0 = 0x1a0;
export const DR6 = 0x1b8;
export const DR7 = 0x1bc;
export const MSR_SYSENTER_CS = 0x1c0;
export const MSR_SYSENTER_ESP = 0x1c4;
export const MSR_SYSENTER_EIP = 0x1c8;
/** float64 at 8-byte alignment: what WRMSR of the TSC added to the clock's value. */
export const TSC_OFFSET = 0x1d0;
/** The low halves of the four page-directory-pointer-table entries that PAE paging keeps. */
export const PDPTE0 = 0x1e0;
/** The x87: 512 bytes, of which the offsets below name what is in use. The rest stays zero. */
export const FPU = 0x200;
/**
 * The data registers R0 to R7, where ST(0) is R[TOP]: significand (8 bytes), sign and exponent (2
 * bytes), zeros. A register that is empty keeps what was in it.
 */
export const FPU_REGISTERS = FPU;
export const FPU_REGISTER_BYTES = 16;
/** The control and the status word, 16 bits each. TOP, ES and B in the latter are kept true. */
export const FPU_CONTROL = FPU + 0x80;
export const FPU_STATUS = FPU + 0x84;
/** Bit n: Rn is empty. The other tags follow from the registers' contents. */
export const FPU_EMPTY = FPU + 0x88;
/** EIP, CS and opcode of the last instruction that was no control instruction: see `noteInstruction`. */
export const FPU_CODE_OFFSET = FPU + 0x8c;
export const FPU_CODE_SELECTOR = FPU + 0x90;
/** Eleven bits: the low three of the opcode's first byte, then ModRM. */
export const FPU_OPCODE = FPU + 0x94;
/** Where its last memory operand was. */
export const FPU_DATA_OFFSET = FPU + 0x98;
export const FPU_DATA_SELECTOR = FPU + 0x9c;
export const ARCHITECTURAL_END = 0x400;

/**
 * Counts up whenever cached ways from linear addresses to records become void, other than by a change of
 * translations; it is never set back.
 */
export const CODE_GENERATION = 0x400;

/** Not zero while someone beside the guest must hear of transfers: then procedures do them all. */
export const TRANSFERS_WATCHED = 0x404;

/**
 * 1 where compiled code last gave an instruction back to the interpreter on account of accesses that were looked up along
 * with its own, which might have been made; else 0.
 */
export const ACCESS_SPLIT = 0x408;

/** One decoded instruction that may not be cached, since it crosses a page. */
export const SCRATCH_RECORD = 0x1000;

/** Two direct-mapped TLBs, first for supervisor accesses, then for user accesses. */
export const TLB_SUPERVISOR = 0x10000;
export const TLB_USER = 0x18000;
export const TLB_ENTRIES = 2048;
/** Log2 of an entry's bytes. */
export const TLB_ENTRY_SHIFT = 4;
export const TLB_ENTRY_BYTES = 1 << TLB_ENTRY_SHIFT;
/** Linear page (low 12 bits 0) that may be read by a plain load; TLB_NONE where not. */
export const TLB_READ_TAG = 0;
/** Linear page that may be written by a plain store; TLB_NONE where not. */
export const TLB_WRITE_TAG = 4;
/** Add to a linear address to get the byte offset in the memory. */
export const TLB_ADDEND = 8;
/** A tag that no linear page equals, since its low bits are set. */
export const TLB_NONE = 1;

/**
 * Direct-mapped cache from the linear address of an instruction to its decoded record. An entry counts only
 * while the TLB has the instruction's page, at the place in the memory where it was when the entry was made.
 */
export const JUMP_CACHE = 0x20000;
export const JUMP_CACHE_ENTRIES = 32768;
/** Log2 of an entry's bytes. */
export const JUMP_CACHE_ENTRY_SHIFT = 5;
/** Linear address of the instruction. */
export const JUMP_CACHE_LINEAR = 0;
/** MODE when the entry was made. */
export const JUMP_CACHE_MODE = 4;
/** CODE_GENERATION when the entry was made: any other makes it void. */
export const JUMP_CACHE_GENERATION = 8;
/** The record to execute. */
export const JUMP_CACHE_RECORD = 12;
/** TLB_ADDEND of the instruction's page. */
export const JUMP_CACHE_ADDEND = 16;

/** Decoded instructions, RECORD_BYTES each. */
export const RECORDS = 0x120000;
export const RECORD_BYTES = 32;
export const RECORDS_END = 0x1000000;

/** Physical address 0 of the guest. */
export const RAM_BASE = 0x1000000;

// Segment registers by their encoding; LDTR and TR follow.
export const SEG_ES = 0;
export const SEG_CS = 1;
export const SEG_SS = 2;
export const SEG_DS = 3;
export const SEG_FS = 4;
export const SEG_GS = 5;
export const SEG_LDTR = 6;
export const SEG_TR = 7;

export const SHADOW_NONE = 0;
export const SHADOW_STI = 1;
export const SHADOW_MOV_SS = 2;

/** CS.D: operands and addresses are 32 bits wide by default. */
export const MODE_CODE32 = 1;
/** SS.B: the stack pointer is ESP, not SP. */
export const MODE_STACK32 = 2;
/** CPL is 3. */
export const MODE_USER = 4;
/** CR0.PE is set and EFLAGS.VM clear. */
export const MODE_PROTECTED = 8;
/** CS, SS, DS and ES cover all of linear memory from 0, and the latter three may be written. */
export const MODE_FLAT = 16;
