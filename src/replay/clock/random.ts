/**
 * The random clock: the guest reads the virtual clock's time, but timer interrupts come at instants
 * drawn from a seeded generator. The same seed and image give the same run.
 *
 * An edge that would come after a wait of w is injected after a time drawn evenly from w/2 to 3w/2, so
 * that on average as many come as the guest programmed. With a chance of one half it is then held back
 * until the processor is next to an edge of an interrupt window (see interrupt-edge.ts), past a few
 * such edges as drawn, and injected just before, at or just after it: what races is what happens
 * there, and an even draw would hit windows of one instruction too rarely. If no edge comes within
 * HUNT_STEPS, the interrupt does.
 */

import type { Instant } from '../instant.js';
import { InterruptEdges } from '../interrupt-edge.js';
import { Random } from '../random.js';
import type { Slot } from './timer-bank.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './virtual.js';

/** The longest that an interrupt is held back for the sake of an edge. */
const HUNT_STEPS = 2048;

/** Virtual time with interrupts at random instants. */
export class RandomClock extends VirtualClock {
  readonly #random: Random;
  #edges: InterruptEdges | null = null;
  /** The interrupt that is held back, and the instant at which it is injected at the latest. */
  #hunting: Slot | null = null;
  #injectAt: Instant = 0;
  #edgesToPass = 0;
  #isEdgeFound = false;

  /** @param seed 32 bits; any higher ones are dropped. */
  constructor(seed: number) {
    super();
    this.#random = new Random(seed);
  }

  override nextInstant(): Instant {
    const hunting = this.#hunting;
    // A timer that was reprogrammed meanwhile has its next edge later.
    if (hunting === null || hunting.due > this.now) return super.nextInstant();
    return this.machine.cpu.instant + 1;
  }

  protected override schedule(slot: Slot, now: number): number {
    const wait = Math.max(0, slot.nominal - now);
    const drawn = Math.floor(
      (wait / NANOSECONDS_PER_INSTRUCTION) * (0.5 + this.#random.fraction()),
    );
    return now + drawn * NANOSECONDS_PER_INSTRUCTION;
  }

  protected override isDue(slot: Slot, now: number): boolean {
    if (!super.isDue(slot, now)) return false;
    if (this.#hunting === null) {
      if (this.#random.below(2) === 0) return true;
      this.#startHunt(slot);
    }
    // One hunt at a time; another timer's interrupt need not wait for its end.
    if (this.#hunting !== slot) return true;
    const { instant } = this.machine.cpu;
    if (this.#edges!.advance() && !this.#isEdgeFound) {
      if (this.#edgesToPass > 0) {
        this.#edgesToPass -= 1;
      } else {
        this.#isEdgeFound = true;
        this.#injectAt = instant + this.#random.below(3);
      }
    }
    return instant >= this.#injectAt;
  }

  protected override fired(slot: Slot): void {
    super.fired(slot);
    if (this.#hunting === slot) this.#hunting = null;
  }

  #startHunt(slot: Slot): void {
    this.#hunting = slot;
    this.#injectAt = this.machine.cpu.instant + HUNT_STEPS;
    this.#isEdgeFound = false;
    // 0, 1, 2... edges with chances of 1/2, 1/4, 1/8...
    this.#edgesToPass = Math.clz32(this.#random.next());
    this.#edges = new InterruptEdges(this.machine);
  }
}
