/** Assembles the published region, and notes what its addresses mean. */
import { PENDING, type Placement, SHARED, SHARED_WORDS, VIRTUAL_IF } from './layout.js';

/** What the hypervisor does about an event that arrives before an instruction of the IRET stub. */
export type Repair =
  /** Injects it there: it nests on a stack that is done with. */
  | 'none'
  /** Goes back to the site, as if the call had not been made, and injects it there. */
  | 'to-site'
  /** Carries the rest of the IRET out, and injects it at the destination. */
  | 'forward'
  /** Goes back to the stub's restart label, and leaves the event to the look at PENDING there. */
  | 'restart'
  /** Hands the frame that IRET was about to pop to the event's handler. */
  | 'fold'
  /** Leaves it pending, until the guest traps next. */
  | 'hold';

/** Where what the IRET stub has moved is before one of its instructions. */
export interface IretStage {
  /** The return address of the call still lies on the stack. */
  readonly hasReturn: boolean;
  /** Where the caller's EAX is: still there, on the stack, or in IRET_EAX. */
  readonly eax: 'register' | 'stack' | 'word';
  /** Where virtual IF as it was when the IRET began is: in its place, in EAX, or in IRET_OLD_IF. */
  readonly oldIf: 'live' | 'eax' | 'saved';
  readonly repair: Repair;
}

/** What a HLT of the region asks for, and by which call. */
export interface Request {
  readonly kind: 'deliver' | 'iret' | 'halt' | 'cpuid' | 'update-kernel-stack' | 'set-iopl';
  readonly call: number;
}

/** An instruction whose access to the shared words shows that a call was made. */
export interface CallMark {
  readonly call: number;
  /** Where the call's return address is: at ESP, or what the instruction stores. */
  readonly returnAt: 'stack' | 'value';
  /** EAX is the call's argument; what the instruction reads is its result. */
  readonly takesEax: boolean;
  readonly givesValue: boolean;
}

const HLT = 0xf4;
const RET = 0xc3;
/** The segment prefix of everything that reaches the shared words. */
export const SS = 0x36;
export const IF = 0x200;

function isSharedWord(number: number): boolean {
  return number >= SHARED && number < SHARED + 4 * SHARED_WORDS;
}

/** Appends instructions and remembers where each begins. All addresses are unsigned. */
export class RegionCode {
  readonly bytes: number[] = [];
  readonly boundaries: number[] = [];
  readonly requests = new Map<number, Request>();
  readonly iretStages = new Map<number, IretStage>();
  readonly marks = new Map<number, CallMark>();

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
        const word = isSharedWord(part) ? part - SHARED + this.#place.words : part;
        for (let shift = 0; shift < 32; shift += 8) this.bytes.push((word >>> shift) & 0xff);
      }
    }
    return at;
  }

  /** An instruction of the IRET stub. */
  stage(stage: IretStage, ...parts: readonly number[]): number {
    const at = this.insn(...parts);
    this.iretStages.set(at, stage);
    return at;
  }

  mark(at: number, call: number, more: Partial<CallMark> = {}): void {
    this.marks.set(at, { call, returnAt: 'stack', takesEax: false, givesValue: false, ...more });
  }

  request(kind: Request['kind'], call: number): number {
    const at = this.insn(HLT);
    this.requests.set(at, { kind, call });
    return at;
  }

  ret(): void {
    this.insn(RET);
  }

  /** MOV DWORD SS:[VIRTUAL_IF], imm32. */
  setInterruptFlag(value: 0 | 0x200): number {
    if (value === 0) return this.insn(SS, 0xc7, 0x05, VIRTUAL_IF, 0, 0, 0, 0);
    return this.insn(SS, 0xc7, 0x05, VIRTUAL_IF, IF);
  }

  /** CMP DWORD SS:[PENDING], 0; JNE over RET to HLT; RET; HLT; RET. */
  deliverAndReturn(call: number): void {
    this.insn(SS, 0x83, 0x3d, PENDING, 0);
    this.insn(0x75, 1);
    this.ret();
    this.request('deliver', call);
    this.ret();
  }

  /** Has a short jump that was assembled with any displacement lead to `target`. */
  patchJump(jump: number, target: number): void {
    this.bytes[jump + 1 - this.#place.region] = (target - (jump + 2)) & 0xff;
  }

  align(): void {
    while (this.bytes.length % 16 !== 0) this.bytes.push(0x90);
  }
}
