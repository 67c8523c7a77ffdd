/** Races as `holdoff explore` sees them. */
import { boundaries } from './brute-force.js';
import { type ExploredBoundary, jsonOf } from './command.js';
import { type Build, boundaryOf, experimentOf, type Race } from './race.js';

/** A row of the map, with the name that expected.json has for its boundary. */
export interface Row extends ExploredBoundary {
  readonly name: string;
}

/** How the race's event is named on the command line. */
function eventWords({ event }: Race): string[] {
  if (event.kind === 'irq') return ['--irq', String(event.line)];
  if (event.kind === 'nmi') return ['--nmi'];
  if (event.kind === 'exception') return ['--exception', String(event.vector)];
  throw new Error(`nothing places a ${event.kind}`);
}

/** What `holdoff explore` says of a race's range. */
export async function explored(race: Race, build: Build): Promise<Row[]> {
  const range = boundaries(experimentOf(race, build));
  const from = range[0].at;
  const to = range[range.length - 1].at;
  const { boundaries: rows } = await jsonOf<{ boundaries: ExploredBoundary[] }>([
    'explore',
    build.image,
    '--memory',
    '4M',
    ...build.options,
    ...eventWords(race),
    ...race.verdict,
    '--workers',
    '1',
    '--from',
    `@${from}`,
    '--to',
    `@${to}`,
  ]);
  if (rows.length !== range.length) throw new Error(`${rows.length} of ${range.length} boundaries`);
  return rows.map((row, place) => ({ ...row, name: boundaryOf(range[place]) }));
}
