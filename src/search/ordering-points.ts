/**
 * Timer interrupts at a few random instants and nowhere else: a run with d of them among k instants. A
 * failure that needs no more than d interrupts at the right places is found by such a run with a chance of
 * at least about 1 / k^d, whatever else the guest does. After S. Burckhardt et al., "A Randomized Scheduler
 * with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010, whose points change priorities of threads.
 *
 * Half of the points are held back until the processor is at an edge of an interrupt window, past a few
 * such edges as drawn, and come at it or up to two steps behind it. A halted guest is woken by its timers.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import type { IdleResult, InputDoor, LiveSource } from '../replay/clock/live-source.js';
import { VirtualClock } from '../replay/clock/virtual.js';
import type { Instant } from '../replay/instant.js';
import { InterruptEdges } from '../replay/interrupt-edge.js';
import { Random } from '../replay/random.js';

/** Where points may lie, and how many there are. */
export interface PointOptions {
  /** 32 bits; any higher ones are dropped. */
  readonly seed: number;
  /** How many: d. */
  readonly points: number;
  /** Among so many instants from the start of the run: k. */
  readonly instants: number;
  /** The interrupt line. */
  readonly line: number;
}

/** The longest that a point is held back for the sake of an edge. */
const HUNT_STEPS = 2048;
/** A point comes at an edge or so many steps behind it. */
const BEHIND_MOST = 2;

/** A source of one run's interrupts. */
export class OrderingPoints implements LiveSource {
  /** Nothing here waits for the host. */
  readonly waitNanoseconds = Number.POSITIVE_INFINITY;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #options: PointOptions;
  #machine!: Machine;
  #inject: InputDoor = () => undefined;
  /** Instants of the points that are still to come, ascending. */
  #points: Instant[] = [];
  #edges: InterruptEdges | null = null;
  #edgesToPass = 0;
  #injectAt: Instant = 0;
  #isEdgeFound = false;

  constructor(options: PointOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  attach(machine: Machine, inject: InputDoor): void {
    this.#machine = machine;
    this.#inject = inject;
    this.#clock.attach(machine, inject);
    const { points, instants } = this.#options;
    const start = machine.cpu.instant;
    const drawn = Array.from({ length: points }, () => start + this.#random.below(instants));
    this.#points = drawn.sort((a, b) => a - b);
  }

  nextInstant(): Instant {
    if (this.#edges !== null) return this.#machine.cpu.instant + 1;
    return this.#points.at(0) ?? Number.POSITIVE_INFINITY;
  }

  poll(): void {
    const { instant } = this.#machine.cpu;
    if (this.#edges === null) {
      if ((this.#points.at(0) ?? Number.POSITIVE_INFINITY) > instant) return;
      this.#points.shift();
      if (this.#random.below(2) === 0) {
        this.#inject({ kind: 'irq', line: this.#options.line });
        return;
      }
      this.#hunt(instant);
    }
    if (this.#edges!.advance() && !this.#isEdgeFound) {
      if (this.#edgesToPass > 0) this.#edgesToPass -= 1;
      else {
        this.#isEdgeFound = true;
        this.#injectAt = instant + this.#random.below(BEHIND_MOST + 1);
      }
    }
    if (instant < this.#injectAt) return;
    this.#edges = null;
    this.#inject({ kind: 'irq', line: this.#options.line });
  }

  readClock(source: ClockSource, isLook: boolean): number {
    return this.#clock.readClock(source, isLook);
  }

  idle(): IdleResult {
    return this.#clock.idle();
  }

  pause(): void {
    // Guest time stands still by itself.
  }

  resume(): void {
    // As above.
  }

  #hunt(instant: Instant): void {
    this.#edges = new InterruptEdges(this.#machine);
    this.#injectAt = instant + HUNT_STEPS;
    this.#isEdgeFound = false;
    // 0, 1, 2... edges with chances of 1/2, 1/4, 1/8...
    this.#edgesToPass = Math.clz32(this.#random.next());
  }
}
