/** Stands between the processor and its tables until the guest calls Init, and lets everything through. */
import type { Core } from '../../cpu/core.js';
import { EFLAGS_IF } from '../../cpu/eflags.js';
import { VECTOR_UD } from '../../cpu/fault.js';
import type { Admission, Interceptor } from '../../cpu/interceptor.js';
import { FLAG_SYSTEM, GDTR_BASE } from '../../cpu/state-layout.js';
import { type DeliveryKind, enterHandler } from '../../cpu/system/delivery.js';

export class RomGate implements Interceptor {
  readonly #core: Core;
  readonly #trapped: () => boolean;
  #isFromOutside = false;

  /** @param trapped told of each #UD at EIP, which it may answer. */
  constructor(core: Core, trapped: () => boolean) {
    this.#core = core;
    this.#trapped = trapped;
  }

  get acceptsInterrupts(): boolean {
    return (this.#core.state.get(FLAG_SYSTEM) & EFLAGS_IF) !== 0;
  }

  get gdtBase(): number {
    return this.#core.state.get(GDTR_BASE);
  }

  readonly innerStack = null;

  expectOutsideFault(): void {
    this.#isFromOutside = true;
  }

  adjust(): void {
    // All descriptors are as the guest wrote them.
  }

  switchTask(): void {
    // All tasks are too.
  }

  admit(): Admission {
    return 'deliver';
  }

  enter(vector: number, errorCode: number, kind: DeliveryKind, returnEip: number): void {
    const core = this.#core;
    const isFromOutside = this.#isFromOutside;
    this.#isFromOutside = false;
    if (kind === 'fault' && vector === VECTOR_UD && !isFromOutside && this.#trapped()) return;
    core.interceptor = null;
    try {
      enterHandler(core, vector, errorCode, kind, returnEip);
    } finally {
      core.interceptor = this;
    }
  }
}
