/** What a motion looks out for while the machine runs: watched accesses, deliveries and VMI calls. */

import type { Cpu } from '../cpu/cpu.js';
import type { Machine } from '../machine/machine.js';
import type { Stop, StopConditions } from './motion.js';
import { WatchSet } from './watch-set.js';

/** The lookout of one motion. While it stands the machine stops at what it finds. */
export class Lookout {
  readonly #watch: WatchSet;
  #happening: Stop | null = null;

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
            if (deliveries(delivery)) this.#happened({ kind: 'delivery', delivery }, cpu);
          };
    machine.onCall = stops.calls === true ? () => this.#happened({ kind: 'call' }, cpu) : null;
  }

  /** The last step did something that was looked out for. */
  get hasHit(): boolean {
    return this.#happening !== null || this.#watch.firstHit !== null;
  }

  /** The delivery or call that stopped the machine, or null. */
  get happening(): Stop | null {
    return this.#happening;
  }

  /** The watched access that stopped the machine, as a stop, or null. */
  get access(): Stop | null {
    const hit = this.#watch.firstHit;
    return hit === null ? null : { kind: 'watchpoint', address: hit.address, access: hit.access };
  }

  clear(): void {
    this.#happening = null;
    this.#watch.clear();
  }

  #happened(stop: Stop, cpu: Cpu): void {
    if (this.#happening !== null) return;
    this.#happening = stop;
    cpu.requestStop();
  }
}
