/**
 * The IRET of the published region, once for each way of coping with an event that arrives while the
 * guest is in it. At CPL 1 IRET changes no IF, so "virtual IF := what the frame says" and "leave the
 * stack" are two instructions.
 *
 * What only CPL 0 can do, or hardware does badly, is left to the hypervisor: a frame of virtual-8086
 * mode, and one whose stack is of 16 bits, as LAR tells.
 */
import { CALL_IRET } from './calls.js';
import { IRET_EAX, IRET_OLD_IF, IRET_RETURN, PENDING, VIRTUAL_IF } from './layout.js';
import { IF, type IretStage, type RegionCode, type Repair, SS } from './region-code.js';

/** What is done about an event that finds the guest within its IRET or SYSEXIT. See docs/vmi.md. */
export const IRET_SCHEMES = ['naive', 'rollforward', 'rollback', 'fold', 'defer'] as const;
export type IretScheme = (typeof IRET_SCHEMES)[number];

/** A stub and the places in it that the hypervisor must know. */
export interface IretStub {
  readonly entry: number;
  /** The stub's IRET. */
  readonly iret: number;
  /** The restart label; of a stub that has none, its entry. */
  readonly restart: number;
}

/** What differs from scheme to scheme outside of the IRET stub. */
export interface SchemeTraits {
  /** About an interrupt before the SYSEXIT of the region. */
  readonly sysexit: Exclude<Repair, 'restart' | 'fold'>;
  /**
   * Of an IRET on a stack that is not flat, where the stub can't run: the hypervisor carries it out.
   * Otherwise it only sets virtual IF, and leaves the IRET to the guest.
   */
  readonly finishesOffFlatStack: boolean;
}

export const SCHEME_TRAITS: Readonly<Record<IretScheme, SchemeTraits>> = {
  naive: { sysexit: 'none', finishesOffFlatStack: false },
  rollforward: { sysexit: 'forward', finishesOffFlatStack: true },
  rollback: { sysexit: 'to-site', finishesOffFlatStack: true },
  fold: { sysexit: 'to-site', finishesOffFlatStack: false },
  defer: { sysexit: 'hold', finishesOffFlatStack: true },
};

const VM = 0x20000;
/** The B bit of a stack segment, as LAR gives it. */
const BIG = 0x400000;
/** Displacements of short jumps that are patched later. */
const LATER = 0;

/** Assembles the stub of a scheme. */
export function assembleIret(code: RegionCode, scheme: IretScheme): IretStub {
  switch (scheme) {
    case 'naive':
      return naiveIret(code);
    case 'rollforward':
      return checkedIret(code, 'forward', 'forward');
    case 'fold':
      return checkedIret(code, 'fold', 'fold');
    case 'defer':
      return checkedIret(code, 'to-site', 'hold');
    case 'rollback':
      return restartableIret(code);
  }
}

/** The first instruction of each stub: it takes the call's return address off the stack. */
function begin(code: RegionCode, repair: Repair): number {
  const begun: IretStage = { hasReturn: true, eax: 'register', oldIf: 'live', repair };
  const entry = code.stage(begun, SS, 0x8f, 0x05, IRET_RETURN);
  code.mark(entry, CALL_IRET, { returnAt: 'value' });
  return entry;
}

/** Virtual IF is set, then the frame is popped: what arrives in between nests on a stack that is done with. */
function naiveIret(code: RegionCode): IretStub {
  const entry = begin(code, 'none');
  const begun: IretStage = { hasReturn: false, eax: 'register', oldIf: 'live', repair: 'none' };
  const saved: IretStage = { ...begun, eax: 'stack' };
  code.stage(begun, 0x50);
  const odd = leaveOddFrames(code, saved);
  code.stage(saved, 0x8b, 0x44, 0x24, 0x0c);
  code.stage(saved, 0x25, IF);
  code.stage(saved, SS, 0xa3, VIRTUAL_IF);
  // What virtual IF was is not kept: an IRET that faults leaves it as the frame says.
  code.stage(saved, 0x58);
  const iret = code.stage(begun, 0xcf);
  const slow = code.request('iret', CALL_IRET);
  code.iretStages.set(slow, saved);
  for (const jump of odd) code.patchJump(jump, slow);
  return { entry, iret, restart: entry };
}

/**
 * The same, but what virtual IF was is kept for an IRET that faults, and what came while it was 0 is
 * looked for once it is set.
 * @param before what is done about an event until virtual IF is set, @param after and from then on.
 */
function checkedIret(code: RegionCode, before: Repair, after: Repair): IretStub {
  const entry = begin(code, before);
  const begun: IretStage = { hasReturn: false, eax: 'register', oldIf: 'live', repair: before };
  const saved: IretStage = { ...begun, eax: 'stack' };
  const set: IretStage = { ...saved, oldIf: 'eax', repair: after };
  const kept: IretStage = { ...set, oldIf: 'saved' };
  code.stage(begun, 0x50); // PUSH EAX
  const early = leaveOddFrames(code, saved);
  code.stage(saved, 0x8b, 0x44, 0x24, 0x0c); // MOV EAX, [ESP + 12]: EFLAGS
  code.stage(saved, 0x25, IF);
  code.stage(saved, SS, 0x87, 0x05, VIRTUAL_IF); // XCHG EAX, [VIRTUAL_IF]
  code.stage(set, SS, 0xa3, IRET_OLD_IF);
  code.stage(kept, SS, 0x83, 0x3d, PENDING, 0);
  code.stage(kept, 0x75, 2); // JNE to the HLT
  code.stage(kept, 0x58); // POP EAX
  const iret = code.stage({ ...kept, eax: 'register' }, 0xcf);
  code.iretStages.set(code.request('iret', CALL_IRET), kept);
  const slow = code.request('iret', CALL_IRET);
  code.iretStages.set(slow, saved);
  for (const jump of early) code.patchJump(jump, slow);
  return { entry, iret, restart: entry };
}

/**
 * From the restart label on nothing is pushed or popped, so that the stub can begin there anew whatever
 * of it was done. To user mode interrupts are taken to be open, whatever the frame says. A return to
 * the kernel is not restarted: what comes once its look at PENDING is done waits.
 */
function restartableIret(code: RegionCode): IretStub {
  const entry = begin(code, 'to-site');
  const begun: IretStage = { hasReturn: false, eax: 'register', oldIf: 'live', repair: 'to-site' };
  const looped: IretStage = { ...begun, eax: 'word', oldIf: 'saved', repair: 'restart' };
  const held: IretStage = { ...looped, repair: 'hold' };
  code.stage(begun, SS, 0xa3, IRET_EAX);
  code.stage(begun, SS, 0xa1, VIRTUAL_IF);
  code.stage({ ...begun, eax: 'word' }, SS, 0xa3, IRET_OLD_IF);
  const restart = code.stage(looped, 0x8b, 0x44, 0x24, 0x08); // MOV EAX, [ESP + 8]: EFLAGS
  code.stage(looped, 0xa9, VM);
  const toVirtual8086 = code.stage(looped, 0x75, LATER);
  code.stage(looped, 0xf6, 0x44, 0x24, 0x04, 2); // TEST BYTE [ESP + 4], 2: CS of user mode
  const toKernel = code.stage(looped, 0x74, LATER);
  const toStack16 = leaveStack16(code, looped, 16);
  code.iretStages.set(code.setInterruptFlag(IF), looped);
  code.stage(looped, SS, 0x83, 0x3d, PENDING, 0);
  const pending = code.stage(looped, 0x75, LATER);
  code.stage(looped, SS, 0xa1, IRET_EAX);
  const iret = code.stage({ ...looped, eax: 'register' }, 0xcf);
  const slow = code.request('iret', CALL_IRET);
  code.iretStages.set(slow, looped);
  const kernel = code.stage(held, SS, 0x83, 0x3d, PENDING, 0);
  const pendingInKernel = code.stage(held, 0x75, LATER);
  code.stage(held, 0x25, IF);
  code.stage(held, SS, 0xa3, VIRTUAL_IF);
  code.stage(held, SS, 0xa1, IRET_EAX);
  code.stage({ ...held, eax: 'register' }, 0xcf);
  code.patchJump(toKernel, kernel);
  for (const jump of [toVirtual8086, toStack16, pending, pendingInKernel]) {
    code.patchJump(jump, slow);
  }
  return { entry, iret, restart };
}

/** Jumps that leave the stub for frames that the hypervisor must pop. EAX is lost. */
function leaveOddFrames(code: RegionCode, stage: IretStage): number[] {
  code.stage(stage, 0xf7, 0x44, 0x24, 12, VM); // TEST DWORD [ESP + 12], VM: EFLAGS
  const toVirtual8086 = code.stage(stage, 0x75, LATER);
  code.stage(stage, 0xf6, 0x44, 0x24, 8, 2); // TEST BYTE [ESP + 8], 2: CS of user mode
  const toKernel = code.stage(stage, 0x74, LATER);
  const toStack16 = leaveStack16(code, stage, 20);
  code.patchJump(toKernel, code.here);
  return [toVirtual8086, toStack16];
}

/**
 * A jump that leaves the stub where SS, so far above ESP, is of 16 bits. Of one that LAR says nothing of
 * it goes either way, as EAX happens to be: IRET faults.
 */
function leaveStack16(code: RegionCode, stage: IretStage, ss: number): number {
  code.stage(stage, 0x0f, 0x02, 0x44, 0x24, ss); // LAR EAX, [ESP + ss]
  code.stage(stage, 0xa9, BIG); // TEST EAX, BIG
  return code.stage(stage, 0x74, LATER);
}
