/**
 * The guest's kernel on its way out, within the region's IRET or SYSEXIT: what becomes of an event that
 * finds it there, and of a fault.
 */
import { EFLAGS_IF } from '../cpu/eflags.js';
import { fault, VECTOR_DB, VECTOR_SS } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import type { CallNoter } from './call-log.js';
import type { GuestCpu } from './emulate.js';
import { finishIret, frameFlags, returnToSite, skipToIret } from './iret.js';
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
        this.#mend(() => this.#finish(stage));
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
   * what the frame says, any other for a stack that isn't there. The hypervisor carries the IRET out, so
   * that a fault of it is one of the IRET at the site, with ESP at the frame.
   * @returns false: the fault goes to the guest where it is; true where the guest goes on.
   */
  iretFaulted(stage: IretStage, vector: number): boolean {
    // A breakpoint in the region is for who has set it.
    if (vector === VECTOR_DB) return false;
    const { traits, region } = this.#published;
    const isOffFlat = stage.hasReturn && vector === VECTOR_SS && !isStackFlat(this.#cpu);
    return this.#reflection.guarded(() => {
      if (!isOffFlat || traits.finishesOffFlatStack) finishIret(this.#cpu, stage);
      else skipToIret(this.#cpu, stage, region.iret.iret);
      return true;
    });
  }

  /**
   * Makes way for an exception that the guest's present instruction has not caused: one that is a trap
   * finds the guest behind its IRET or SYSEXIT, as behind any instruction, one that is injected finds it
   * at the site of its IRET. (Before a SYSEXIT it may come, as between STI and SYSEXIT.)
   * @returns false where a fault of the IRET has gone to the guest in the exception's stead.
   */
  makeWay(kind: 'trap' | 'fault'): boolean {
    const { exit } = this.#published;
    if (exit === null || exit.repair === 'none') return true;
    const { stage } = exit;
    if (kind === 'fault') {
      // Where what the stub has pushed can't be read, the guest stays where it is.
      if (stage !== null) this.#attempt(() => returnToSite(this.#cpu, stage));
      return true;
    }
    let isDone = false;
    this.#mend(() => {
      this.#finish(stage);
      isDone = true;
    });
    return isDone;
  }

  #finish(stage: IretStage | null): void {
    if (stage === null) finishSysexit(this.#cpu, this.#note);
    else finishIret(this.#cpu, stage);
  }

  /** @returns what `work` returns, or null where it faults. */
  #attempt<T>(work: () => T): T | null {
    try {
      return work();
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      return null;
    }
  }

  #repairFor(event: 'interrupt' | 'nmi', stage: IretStage | null, repair: Repair): Repair {
    if (event === 'nmi' && (repair === 'restart' || repair === 'hold')) return 'to-site';
    if (repair !== 'fold') return repair;
    // Only a frame that can be read, and lets the event in, can be the event's own.
    const flags = this.#attempt(() => frameFlags(this.#cpu.core, stage!));
    const isOpen = flags !== null && (event === 'nmi' || (flags & EFLAGS_IF) !== 0);
    return isOpen ? 'fold' : 'to-site';
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
