/** What the hypervisor keeps of its guest: registers as the guest last loaded them, and what is virtual. */

/** All words are 32 bits, signed; `save` gives them in the order in which they are declared. */
export class GuestState {
  /** The stack on which an event from CPL 3 is delivered. */
  kernelSs = 0;
  kernelEsp = 0;
  gdtBase = 0;
  idtBase = 0;
  idtLimit = 0;
  /** IA32_SYSENTER_CS. The processor's own is null, so that SYSENTER and SYSEXIT trap. */
  sysenterCs = 0;
  /** Virtual IOPL, 0 to 3. The real one is 0. */
  iopl = 0;
  /**
   * An interrupt waits of which the hypervisor knows: it isn't looked at again before the guest next
   * traps.
   */
  isPendingKnown = false;

  /** The words as numbers, for checkpoints and digests. */
  save(): number[] {
    return [
      this.kernelSs,
      this.kernelEsp,
      this.gdtBase,
      this.idtBase,
      this.idtLimit,
      this.sysenterCs,
      this.iopl,
      this.isPendingKnown ? 1 : 0,
    ];
  }

  /** Takes over what `save` gave. */
  restore(words: readonly number[]): void {
    [
      this.kernelSs,
      this.kernelEsp,
      this.gdtBase,
      this.idtBase,
      this.idtLimit,
      this.sysenterCs,
      this.iopl,
    ] = words;
    this.isPendingKnown = words[STATE_WORDS - 1] !== 0;
  }
}

/** How many words `save` gives. */
export const STATE_WORDS = 8;
