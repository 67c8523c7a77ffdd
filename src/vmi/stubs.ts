/**
 * The published region: the code that patched sites call. It is the guest's own code, executed at its
 * CPL one instruction at a time, so an event may arrive before each of them. HLT, which traps at CPL 1,
 * is how it calls the hypervisor.
 *
 * A site may run on any DS, so the region reaches the shared words through SS alone. All stubs keep all
 * registers but EFLAGS, and EAX where it is the result.
 */
import {
  CALL_ENABLE_INTERRUPTS,
  CALL_HALT,
  CALL_IRET,
  CALL_SET_INTERRUPT_MASK,
  CALL_UPDATE_KERNEL_STACK,
  type StubName,
} from './calls.js';
import {
  FIXED_PLACE,
  IRET_OLD_IF,
  IRET_RETURN,
  PENDING,
  type Placement,
  SHADOW_CR0,
  SHARED,
  VIRTUAL_IF,
} from './layout.js';

/** What is done about an event that finds the guest within its IRET or SYSEXIT. */
export const IRET_SCHEMES = ['naive', 'rollforward'] as const;
export type IretScheme = (typeof IRET_SCHEMES)[number];

/** Where the stub's return address, saved EAX and old virtual IF are before one of its instructions. */
export interface IretStage {
  /** The return address of the call still lies on the stack. */
  readonly hasReturn: boolean;
  /** EAX lies on the stack. */
  readonly hasSaved: boolean;
  /** Where virtual IF as it was when the IRET began is: in its place, in EAX, or in IRET_OLD_IF. */
  readonly oldIf: 'live' | 'eax' | 'saved';
}

/** What a HLT of the region asks for, and by which call. */
export interface Request {
  readonly kind: 'deliver' | 'iret' | 'halt' | 'update-kernel-stack';
  readonly call: number;
}

/** The region's bytes and what its addresses mean. All addresses are unsigned. */
export interface Region {
  readonly bytes: Uint8Array;
  readonly stubs: Readonly<Record<StubName, number>>;
  /** By the address of each HLT. */
  readonly requests: ReadonlyMap<number, Request>;
  /** By the address of each instruction of the IRET stub. */
  readonly iretStages: ReadonlyMap<number, IretStage>;
  /** The SYSEXIT of its stub. */
  readonly sysexit: number;
  /** The address of every instruction, in order. */
  readonly boundaries: readonly number[];
}

const BEGUN: IretStage = { hasReturn: true, hasSaved: false, oldIf: 'live' };
const RETURN_DROPPED: IretStage = { hasReturn: false, hasSaved: false, oldIf: 'live' };
const EAX_SAVED: IretStage = { hasReturn: false, hasSaved: true, oldIf: 'live' };
const EAX_HAS_OLD: IretStage = { hasReturn: false, hasSaved: true, oldIf: 'eax' };
const OLD_SAVED: IretStage = { hasReturn: false, hasSaved: true, oldIf: 'saved' };
const EAX_RESTORED: IretStage = { hasReturn: false, hasSaved: false, oldIf: 'saved' };

const HLT = 0xf4;
const RET = 0xc3;
const SS = 0x36;
const IF = 0x200;

/** Appends instructions and remembers where each begins. */
class Builder {
  readonly bytes: number[] = [];
  readonly boundaries: number[] = [];
  readonly requests = new Map<number, Request>();
  readonly iretStages = new Map<number, IretStage>();
  readonly #place: Placement;

  constructor(place: Placement) {
    this.#place = place;
  }

  get here(): number {
    return this.#place.region + this.bytes.length;
  }

  /**
   * Numbers above 255 are four bytes; those from SHARED up are addresses of the shared words, and moved to
   * where the guest sees them. @returns the instruction's address.
   */
  insn(...parts: readonly number[]): number {
    const at = this.here;
    this.boundaries.push(at);
    for (const part of parts) {
      if (part <= 0xff) this.bytes.push(part);
      else {
        const word = part < SHARED ? part : part - SHARED + this.#place.words;
        for (let shift = 0; shift < 32; shift += 8) this.bytes.push((word >>> shift) & 0xff);
      }
    }
    return at;
  }

  stage(stage: IretStage, ...parts: readonly number[]): number {
    const at = this.insn(...parts);
    this.iretStages.set(at, stage);
    return at;
  }

  request(kind: Request['kind'], call: number): number {
    const at = this.insn(HLT);
    this.requests.set(at, { kind, call });
    return at;
  }

  /** MOV DWORD SS:[VIRTUAL_IF], imm32. */
  setInterruptFlag(value: 0 | 0x200): void {
    if (value === 0) this.insn(SS, 0xc7, 0x05, VIRTUAL_IF, 0, 0, 0, 0);
    else this.insn(SS, 0xc7, 0x05, VIRTUAL_IF, IF);
  }

  /** CMP DWORD SS:[PENDING], 0; JNE over RET to HLT; RET; HLT; RET. */
  deliverAndReturn(call: number): void {
    this.insn(SS, 0x83, 0x3d, PENDING, 0);
    this.insn(0x75, 1);
    this.insn(RET);
    this.request('deliver', call);
    this.insn(RET);
  }

  align(): void {
    while (this.bytes.length % 16 !== 0) this.bytes.push(0x90);
  }
}

/** Assembles the region for a scheme and a place. */
export function buildRegion(scheme: IretScheme, place: Placement = FIXED_PLACE): Region {
  const code = new Builder(place);
  const iret = scheme === 'naive' ? naiveIret(code) : checkedIret(code);
  code.align();
  const sysexitStub = code.here;
  code.setInterruptFlag(IF);
  const sysexit = code.insn(0x0f, 0x35);
  code.align();
  const sti = code.here;
  code.setInterruptFlag(IF);
  code.deliverAndReturn(CALL_ENABLE_INTERRUPTS);
  code.align();
  const cli = code.here;
  code.setInterruptFlag(0);
  code.insn(RET);
  code.align();
  const getInterruptMask = code.insn(SS, 0xa1, VIRTUAL_IF);
  code.insn(RET);
  code.align();
  // TEST AH, 2; JZ over what enables.
  const setInterruptMask = code.insn(0xf6, 0xc4, 0x02);
  const jump = code.insn(0x74, 0);
  code.setInterruptFlag(IF);
  code.deliverAndReturn(CALL_SET_INTERRUPT_MASK);
  code.bytes[jump + 1 - place.region] = code.here - (jump + 2);
  code.setInterruptFlag(0);
  code.insn(RET);
  code.align();
  const halt = code.request('halt', CALL_HALT);
  code.insn(RET);
  code.align();
  const updateKernelStack = code.request('update-kernel-stack', CALL_UPDATE_KERNEL_STACK);
  code.insn(RET);
  return {
    bytes: Uint8Array.from(code.bytes),
    stubs: {
      iret,
      sysexit: sysexitStub,
      sti,
      cli,
      getInterruptMask,
      setInterruptMask,
      halt,
      updateKernelStack,
    },
    requests: code.requests,
    iretStages: code.iretStages,
    sysexit,
    boundaries: code.boundaries,
  };
}

/** Virtual IF is set, then the frame is popped: what arrives in between nests on a stack that is done with. */
function naiveIret(code: Builder): number {
  const entry = code.stage(BEGUN, SS, 0x8f, 0x05, IRET_RETURN);
  code.stage(RETURN_DROPPED, 0x50);
  code.stage(EAX_SAVED, 0x8b, 0x44, 0x24, 0x0c);
  code.stage(EAX_SAVED, 0x25, IF);
  code.stage(EAX_SAVED, SS, 0xa3, VIRTUAL_IF);
  // What virtual IF was is not kept: an IRET that faults leaves it as the frame says.
  code.stage(EAX_SAVED, 0x58);
  code.stage(RETURN_DROPPED, 0xcf);
  return entry;
}

/**
 * The same, but what virtual IF was is kept for an IRET that faults, and what came while it was 0 is
 * looked for once it is set. What arrives later finds EIP in here, and the hypervisor carries the IRET
 * out before it injects.
 */
function checkedIret(code: Builder): number {
  const entry = code.stage(BEGUN, SS, 0x8f, 0x05, IRET_RETURN);
  code.stage(RETURN_DROPPED, 0x50);
  code.stage(EAX_SAVED, 0x8b, 0x44, 0x24, 0x0c);
  code.stage(EAX_SAVED, 0x25, IF);
  code.stage(EAX_SAVED, SS, 0x87, 0x05, VIRTUAL_IF);
  code.stage(EAX_HAS_OLD, SS, 0xa3, IRET_OLD_IF);
  code.stage(OLD_SAVED, SS, 0x83, 0x3d, PENDING, 0);
  code.stage(OLD_SAVED, 0x75, 2);
  code.stage(OLD_SAVED, 0x58);
  code.stage(EAX_RESTORED, 0xcf);
  code.iretStages.set(code.request('iret', CALL_IRET), OLD_SAVED);
  return entry;
}

/** CALL rel32 to an address. */
export function encodeCall(site: number, target: number): number[] {
  const relative = (target - site - 5) | 0;
  return [0xe8, relative & 0xff, (relative >> 8) & 0xff, (relative >> 16) & 0xff, relative >>> 24];
}

/** MOV EAX, [SHADOW_CR0]. */
export function encodeLoadCr0(): number[] {
  return [0xa1, SHADOW_CR0 & 0xff, (SHADOW_CR0 >> 8) & 0xff, (SHADOW_CR0 >> 16) & 0xff, 0];
}
