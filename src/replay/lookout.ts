/** What a motion looks out for while the machine runs: watched accesses and deliveries. */

import type { Machine } from '../machine/machine.js';
import type { Delivery, Stop, StopConditions } from './motion.js';
import { WatchSet } from './watch-set.js';

/** The lookout of one motion. While it stands the machine stops at what it finds. */
export class Lookout {
  readonly #watch: WatchSet;
  #delivery: Delivery | null = null;

  /** Breakpoints, watchpoints and deliveries of the machine become those of the conditions. */
  constructor(machine: Machine, stops: StopConditions) {
    const { cpu } = machine;
    const { deliveries } = stops;
    this.#watch = new WatchSet(stops.watchpoints, () => cpu.requestStop());
    cpu.breakpoints = stops.breakpoints;
    cpu.accessWatch = stops.watchpoints.length > 0 ? this.#watch : null;
    cpu.onDelivery =
      deliveries === undefined
        ? null
        : (vector, kind) => {
            const line = kind === 'interrupt' ? machine.acceptedLine : null;
            const delivery = { vector, kind, line };
            if (this.#delivery !== null || !deliveries(delivery)) return;
            this.#delivery = delivery;
            cpu.requestStop();
          };
  }

  /** The last step did something that was looked out for. */
  get hasHit(): boolean {
    return this.#delivery !== null || this.#watch.firstHit !== null;
  }

  /** The delivery that stopped the machine, as a stop, or null. */
  get delivery(): Stop | null {
    return this.#delivery === null ? null : { kind: 'delivery', delivery: this.#delivery };
  }

  /** The watched access that stopped the machine, as a stop, or null. */
  get access(): Stop | null {
    const hit = this.#watch.firstHit;
    return hit === null ? null : { kind: 'watchpoint', address: hit.address, access: hit.access };
  }

  clear(): void {
    this.#delivery = null;
    this.#watch.clear();
  }
}
