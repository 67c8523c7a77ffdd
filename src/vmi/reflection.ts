/** Faults that the guest is to see, though none of its instructions has been executed. */
import type { Core } from '../cpu/core.js';
import { fault, VECTOR_PF } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import { deliver } from '../cpu/system/delivery.js';

export class Reflection {
  /** A fault that the guest is to see is on its way to it: it is nothing to emulate. */
  isUnderWay = false;
  /** How many faults have gone to the guest so. */
  count = 0;
  /** No instruction of the guest's has caused it. */
  isFromOutside = false;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Runs what may fault as the guest's instruction would have; such a fault goes to the guest.
   * @returns true where it did, or else what `work` returns.
   */
  guarded(work: () => boolean): boolean {
    try {
      return work();
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      this.#reflect();
      return true;
    }
  }

  /** Delivers `fault` to the guest, at the present EIP. */
  #reflect(): void {
    const { vector, errorCode } = fault;
    const { state } = this.#core;
    if (vector === VECTOR_PF) state.set(L.CR2, fault.cr2);
    this.isUnderWay = true;
    this.count += 1;
    deliver(this.#core, vector, errorCode, 'fault', state.eip);
    this.isUnderWay = false;
  }
}
