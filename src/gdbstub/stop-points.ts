/** The breakpoints and watchpoints that a client has inserted. Guest memory is never patched for them. */
import type { StopPoint } from './commands/command.js';
import type { StopConditions, WatchAccess, Watchpoint } from './target.js';

/** More than this of one kind are refused: a client can't make us grow without bound. */
export const MOST_STOP_POINTS = 65_536;

/** A client's breakpoints and watchpoints. Inserting twice is inserting once, as gdb expects. */
export class StopPoints {
  readonly software = new Set<number>();
  readonly hardware = new Set<number>();
  readonly #watchpoints = new Map<string, Watchpoint>();

  /** What the target should stop for now. */
  get conditions(): StopConditions {
    return {
      breakpoints: new Set([...this.software, ...this.hardware]),
      watchpoints: [...this.#watchpoints.values()],
    };
  }

  /** False when there are too many already. */
  insert(place: StopPoint): boolean {
    const { point, address } = place;
    if (point === 'software' || point === 'hardware') return add(this[point], address);
    if (this.#watchpoints.size >= MOST_STOP_POINTS) return false;
    this.#watchpoints.set(key(place), watchpointOf(place, point));
    return true;
  }

  remove(place: StopPoint): void {
    const { point, address } = place;
    if (point === 'software' || point === 'hardware') this[point].delete(address);
    else this.#watchpoints.delete(key(place));
  }

  clear(): void {
    this.software.clear();
    this.hardware.clear();
    this.#watchpoints.clear();
  }
}

/** The watchpoint that a `Z2`, `Z3` or `Z4` packet asks for; null for a breakpoint. */
export function requestedWatchpoint(place: StopPoint): Watchpoint | null {
  const { point } = place;
  return point === 'software' || point === 'hardware' ? null : watchpointOf(place, point);
}

function watchpointOf({ address, length }: StopPoint, access: WatchAccess): Watchpoint {
  return { address, length, access };
}

function key({ point, address, length }: StopPoint): string {
  return `${point} ${address} ${length}`;
}

function add(set: Set<number>, address: number): boolean {
  if (set.size >= MOST_STOP_POINTS && !set.has(address)) return false;
  set.add(address);
  return true;
}
