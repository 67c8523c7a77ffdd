/** What every chip of the PC offers to whoever resets, saves and restores the machine. */

/**
 * Reads a clock through the machine's one door for input: the guest's present time, as it was injected.
 * `isLook`: no timer's edges will fall differently for what the access does; false where absent.
 */
export type ReadClock = (source: 'pit' | 'rtc' | 'apic', isLook?: boolean) => number;

/** A chip. Its behaviour follows from its state, port accesses and injected inputs alone. */
export interface Device {
  /** The key of this device's state in `MachineState`. */
  readonly name: string;
  /** Brings the device to the state in which firmware leaves it for a kernel. */
  reset(): void;
  /** Everything that can influence what the guest sees later, as finite numbers. */
  save(): number[];
  /**
   * Takes over what `save` returned. Calls nobody back: each device restores its own side of a wire.
   * @throws Error when the state is not one that `save` can have returned.
   */
  restore(state: readonly number[]): void;
}

/**
 * Fails on a device state of the wrong length.
 * @throws Error when the length differs.
 */
export function checkStateLength(device: string, state: readonly number[], length: number): void {
  if (state.length !== length) {
    throw new Error(`state of ${device} has ${state.length} numbers, expected ${length}`);
  }
}
