/** The breakpoints and watchpoints that a client has inserted. Guest memory is never patched for them. */
import type { BreakpointExtras, StopPoint } from './commands/command.js';
import type { WatchAccess, Watchpoint } from './target.js';

/** More than this of one kind are refused: a client can't make us grow without bound. */
export const MOST_STOP_POINTS = 65_536;
/** Most bytes of conditions and commands in all. */
export const MOST_EXTRA_BYTES = 4 << 20;

/** A client's breakpoints and watchpoints. Inserting twice is inserting once, as gdb expects. */
export class StopPoints {
  readonly software = new Map<number, BreakpointExtras>();
  readonly hardware = new Map<number, BreakpointExtras>();
  readonly #watchpoints = new Map<string, Watchpoint>();
  #extraBytes = 0;

  /** Linear addresses of all breakpoints. */
  get breakpoints(): ReadonlySet<number> {
    return new Set([...this.software.keys(), ...this.hardware.keys()]);
  }

  get watchpoints(): readonly Watchpoint[] {
    return [...this.#watchpoints.values()];
  }

  /** Whether a breakpoint has a condition or commands. */
  get hasExtras(): boolean {
    return this.#extraBytes > 0;
  }

  /** What lies at an address: one entry a breakpoint. */
  at(linear: number): BreakpointExtras[] {
    return [this.software.get(linear), this.hardware.get(linear)].filter(
      (each) => each !== undefined,
    );
  }

  /** False when there are too many already. */
  insert(place: StopPoint & BreakpointExtras): boolean {
    const { point, address } = place;
    if (point === 'software' || point === 'hardware') return this.#add(this[point], place);
    if (this.#watchpoints.size >= MOST_STOP_POINTS) return false;
    this.#watchpoints.set(key(place), { address, length: place.length, access: point });
    return true;
  }

  remove(place: StopPoint): void {
    const { point, address } = place;
    if (point !== 'software' && point !== 'hardware') this.#watchpoints.delete(key(place));
    else this.#drop(this[point], address);
  }

  clear(): void {
    this.software.clear();
    this.hardware.clear();
    this.#watchpoints.clear();
    this.#extraBytes = 0;
  }

  /** What was there at the address before goes: gdb sends all conditions of a place at once. */
  #add(map: Map<number, BreakpointExtras>, place: StopPoint & BreakpointExtras): boolean {
    const { address, conditions = [], commands = [] } = place;
    if (map.size >= MOST_STOP_POINTS && !map.has(address)) return false;
    const extras = { conditions, commands };
    if (this.#extraBytes + bytesOf(extras) > MOST_EXTRA_BYTES) return false;
    this.#drop(map, address);
    map.set(address, extras);
    this.#extraBytes += bytesOf(extras);
    return true;
  }

  #drop(map: Map<number, BreakpointExtras>, address: number): void {
    this.#extraBytes -= bytesOf(map.get(address) ?? {});
    map.delete(address);
  }
}

/** The watchpoint that a `Z2`, `Z3` or `Z4` packet asks for; null for a breakpoint. */
export function requestedWatchpoint({ point, address, length }: StopPoint): Watchpoint | null {
  const isBreakpoint = point === 'software' || point === 'hardware';
  return isBreakpoint ? null : { address, length, access: point satisfies WatchAccess };
}

function key({ point, address, length }: StopPoint): string {
  return `${point} ${address} ${length}`;
}

function bytesOf({ conditions = [], commands = [] }: BreakpointExtras): number {
  return [...conditions, ...commands].reduce((sum, bytes) => sum + bytes.length + 1, 0);
}
