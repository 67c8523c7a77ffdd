/** Where a search places its input: the instants that the options name. */
import type { SymbolTable } from '../machine/symbols.js';
import { UserError } from '../machine/user-error.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import type { BaseRun } from '../search/base-run.js';
import { addressOf } from '../search/verdict.js';
import { visits } from '../search/visits.js';

/** What a verb's options say of it. */
export interface RangeOptions {
  readonly from?: Instant;
  readonly to?: Instant;
  /** A symbol or an address. */
  readonly around?: string;
  /** Instants on either side of it. */
  readonly radius: number;
  /** Two of them, with `..` between. */
  readonly in?: string;
}

/** A map of more is nothing that anybody reads. */
const INSTANTS_MOST = 1_000_000;

/**
 * The instants, ascending.
 * @param near of several visits of `around` the nearest is taken; the first one where it is null.
 * @throws UserError where the options name none, or too many.
 */
export function placementInstants(
  base: BaseRun,
  symbols: SymbolTable,
  options: RangeOptions,
  near: Instant | null,
): Instant[] {
  const end = base.past.lastInstant;
  const from = options.from ?? 0;
  const to = Math.min(options.to ?? end, end);
  if (options.around !== undefined && options.in !== undefined) {
    throw new UserError('--around and --in both say where; leave one out');
  }
  if (options.in !== undefined) return visitsIn(base, symbols, options.in, from, to);
  if (options.around !== undefined) {
    const address = addressOf(options.around, symbols);
    const at = nearestVisit(visits(base, { first: address, last: address }, from, to), near);
    if (at === null) throw new UserError(`the run never comes to ${options.around}`);
    return instants(Math.max(from, at - options.radius), Math.min(to, at + options.radius));
  }
  if (options.from === undefined && options.to === undefined) {
    if (near === null) {
      throw new UserError('nothing says where to place it; give --from and --to, --around or --in');
    }
    return instants(Math.max(0, near - options.radius), Math.min(to, near + options.radius));
  }
  return instants(from, to);
}

function visitsIn(
  base: BaseRun,
  symbols: SymbolTable,
  text: string,
  from: Instant,
  to: Instant,
): Instant[] {
  const ends = text.split('..');
  if (ends.length !== 2) {
    throw new UserError(`--in ${text}: give two symbols or addresses, such as start..end`);
  }
  const [first, last] = ends;
  const range = {
    first: addressOf(first, symbols, text),
    last: addressOf(last, symbols, text, first.length + 2),
  };
  const found: Instant[] = [];
  for (const at of visits(base, range, from, to)) {
    found.push(at);
    if (found.length > INSTANTS_MOST) throw tooMany();
  }
  if (found.length === 0) throw new UserError(`the run never comes to ${text}`);
  return found;
}

function nearestVisit(all: Iterable<Instant>, near: Instant | null): Instant | null {
  let best: Instant | null = null;
  for (const at of all) {
    if (near === null) return at;
    if (best === null || Math.abs(at - near) < Math.abs(best - near)) best = at;
  }
  return best;
}

function instants(from: Instant, to: Instant): Instant[] {
  if (to < from) {
    throw new UserError(
      `no instant lies from ${formatInstant(from)} to ${formatInstant(to)}, where the run ends at the latest`,
    );
  }
  if (to - from >= INSTANTS_MOST) throw tooMany();
  return Array.from({ length: to - from + 1 }, (_, step) => from + step);
}

function tooMany(): UserError {
  return new UserError(
    `more than ${INSTANTS_MOST} instants to place it at; narrow them by --from and --to`,
  );
}
