/**
 * The guest's kernel on its way out, within the region's IRET or SYSEXIT: what becomes of an event that
 * finds it there, and of a fault.
 */
import { EFLAGS_IF } from '../cpu/eflags.js';
import { fault, VECTOR_SS } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import type { CallNoter } from './call-log.js';
import type { GuestCpu } from './emulate.js';
import { finishIret, frameFlags, raiseKernelFrame, returnToSite, skipToIret } from './iret.js';
import type { PublishedRegion } from './published-region.js';
import type { Reflection } from './reflection.js';
import type { IretStage, Repair } from './region-code.js';
import { finishSysexit, returnToSysexitSite } from './serve.js';
import { isStackFlat } from './violations.js';

/** What an event does: it comes, it waits for the guest to trap, or it waits for a guest that was moved. */
export type Ruling = 'deliver' | 'hold' | 'moved' | 'restarted';

export class RegionExits {
  readonly #cpu: GuestCpu;
  readonly #published: PublishedRegion;
  readonly #reflection: Reflection;
  readonly #note: CallNoter;

  constructor(cpu: GuestCpu, published: PublishedRegion, reflection: Reflection, note: CallNoter) {
    this.#cpu = cpu;
    this.#published = published;
    this.#reflection = reflection;
    this.#note = note;
  }

  /**
   * Rules what becomes of an event, at CPL 1, and moves the guest where the scheme says so.
   * @returns `moved` where that was a step, after which what waits is looked at anew; `restarted` where
   *   the event waits, and the step has the stub find it.
   */
  rule(event: 'interrupt' | 'nmi'): Ruling {
    const { exit } = this.#published;
    if (exit === null) return 'deliver';
    const { stage } = exit;
    // An NMI may come before a SYSEXIT; and virtual IF is nothing to it, so it need never wait.
    if (stage === null && event === 'nmi') return 'deliver';
    switch (this.#repairFor(event, stage, exit.repair)) {
      case 'none':
      case 'fold':
        return 'deliver';
      case 'hold':
        return 'hold';
      case 'restart':
        this.#cpu.core.state.eip = this.#published.region.iret.restart | 0;
        return 'restarted';
      case 'forward':
        this.#mend(() =>
          stage === null ? finishSysexit(this.#cpu, this.#note) : finishIret(this.#cpu, stage),
        );
        return 'moved';
      case 'to-site':
        this.#mend(() =>
          stage === null ? returnToSysexitSite(this.#cpu) : returnToSite(this.#cpu, stage),
        );
        return 'moved';
    }
  }

  /**
   * An instruction of the IRET stub faulted: its first one for a stack that is not flat, its last one for
   * what the frame says, any other for a stack that isn't there. To the guest the IRET at the site has
   * faulted, with ESP at the frame.
   * @returns false: the fault goes to the guest; true where the guest goes on.
   */
  iretFaulted(stage: IretStage, vector: number): boolean {
    if (stage.hasReturn && vector === VECTOR_SS && !isStackFlat(this.#cpu)) {
      return this.#reflection.guarded(() => {
        const { traits, region } = this.#published;
        if (traits.finishesOffFlatStack) finishIret(this.#cpu, stage);
        else skipToIret(this.#cpu, stage, region.iret.iret);
        return true;
      });
    }
    const { errorCode, cr2 } = fault;
    try {
      if (raiseKernelFrame(this.#cpu.core, stage)) return true;
      returnToSite(this.#cpu, stage);
    } catch (thrown) {
      // The stack can't even be read: the fault is seen where it is.
      if (thrown !== fault) throw thrown;
      Object.assign(fault, { vector, errorCode, cr2 });
    }
    return false;
  }

  #repairFor(event: 'interrupt' | 'nmi', stage: IretStage | null, repair: Repair): Repair {
    if (event === 'nmi') return repair === 'restart' || repair === 'hold' ? 'to-site' : repair;
    return repair === 'fold' && !this.#isFrameOpen(stage!) ? 'to-site' : repair;
  }

  /** The frame that IRET is about to pop lets interrupts in. One that can't be read does. */
  #isFrameOpen(stage: IretStage): boolean {
    try {
      return (frameFlags(this.#cpu.core, stage) & EFLAGS_IF) !== 0;
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      return true;
    }
  }

  /** Brings the guest out of the region, as a step of its own. A fault of that goes to the guest. */
  #mend(work: () => void): void {
    this.#cpu.core.state.set(L.SHADOW, L.SHADOW_NONE);
    this.#reflection.guarded(() => {
      work();
      return true;
    });
  }
}
