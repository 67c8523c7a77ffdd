/** The instants at which a run is somewhere: in a range of addresses, or around a place in it. */
import { UserError } from '../machine/user-error.js';
import type { Instant } from '../replay/instant.js';
import type { BaseRun } from './base-run.js';
import { linearEip } from './boundary.js';

/** Linear addresses, unsigned, both included. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** As many addresses can be looked out for. */
const ADDRESSES_MOST = 1 << 16;

/**
 * Yields the instants in ascending order at which the run is about to execute something in a range, or
 * is interrupted there.
 * @param from the first instant that counts, and `to` the last one; both may lie beyond the run's end.
 * @throws UserError on an empty range, or one of more than 64 KiB.
 */
export function* visits(
  base: BaseRun,
  range: AddressRange,
  from: Instant,
  to: Instant,
): Generator<Instant> {
  const { first, last } = range;
  if (last < first || last - first >= ADDRESSES_MOST) {
    const text = `0x${first.toString(16)} to 0x${last.toString(16)}`;
    throw new UserError(`no range to look for: ${text}; give at most 64 KiB, the lower end first`);
  }
  const { cpu } = base.machine;
  const isInside = (): boolean => {
    const linear = linearEip(base.machine);
    return linear >= first && linear <= last;
  };
  const before = cpu.breakpoints;
  const addresses = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  const interrupted: Instant[] = [];
  let found: Instant = -1;
  try {
    if (!base.seek(from)) return;
    cpu.breakpoints = new Set(addresses);
    cpu.onDelivery = () => {
      if (isInside()) interrupted.push(cpu.instant);
    };
    while (base.instant <= to) {
      if (isInside()) {
        found = base.instant;
        interrupted.length = 0;
        yield found;
        if (!base.step()) return;
        continue;
      }
      const isThere = base.seekBreakpoint(to);
      for (const at of interrupted.splice(0)) if (at > found && at <= to) yield at;
      if (!isThere) return;
    }
  } finally {
    cpu.onDelivery = null;
    cpu.breakpoints = before;
  }
}
