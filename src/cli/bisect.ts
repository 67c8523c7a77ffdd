/** `holdoff bisect`: from a bad trace to the events, the window and the instruction that make it bad. */
import { join } from 'node:path';
import { UserError } from '../machine/user-error.js';
import { bisect as bisection } from '../search/bisect.js';
import type { ScheduledRun } from '../search/scheduled-run.js';
import { runFromReset } from '../search/scheduled-run.js';
import { type CompiledVerdicts, compileVerdicts, type VerdictSpec } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { bisectionJson } from './bisect-json.js';
import { renderBisection } from './bisect-view.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import type { ExploreNames } from './explore-view.js';
import type { ImageFolders } from './image-options.js';
import { inputFromTrace, type SearchInput, verdictsOrOutcome } from './search-input.js';
import type { VerdictOptions } from './search-options.js';
import { runToResult } from './stepping.js';
import { makeFolder, OutputFile, writeEvents } from './trace-file.js';

/** What `holdoff bisect` may be told. */
export type BisectOptions = VerdictOptions &
  ImageFolders & { readonly out?: string; readonly json?: true };

/** Bisects one trace, or two; the exit status. */
export async function bisect(paths: readonly string[], options: BisectOptions): Promise<number> {
  if (paths.length > 2) throw new UserError('give a bad trace, or a good and a bad one');
  const sources = paths.map((path) => inputFromTrace(path, options));
  const { bad, good, specs, verdicts } = judge(paths, sources, options);
  const search = bisection(bad.makeGuest, bad.past, good?.past ?? null, {
    verdicts,
    feed: options.then,
    budget: options.budget,
  });
  const found = await runToResult(search, 'runs');
  if (found === null) return STATUS_INTERRUPTED;
  const traces =
    options.out === undefined
      ? null
      : {
          good: writeRun(options.out, 'good.trace', bad, found.good),
          bad: writeRun(options.out, 'bad.trace', bad, found.bad),
        };
  const names: ExploreNames = { symbols: bad.symbols, verdicts: specs };
  const replay = traces === null ? null : `holdoff replay ${traces.bad}`;
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(bisectionJson(found, names, traces), null, 2)}\n`
      : renderBisection(found, names, replay),
  );
  return STATUS_OK;
}

/** Which of the traces is the bad one. @throws UserError unless exactly one is. */
function judge(
  paths: readonly string[],
  sources: readonly SearchInput[],
  options: BisectOptions,
): {
  readonly bad: SearchInput;
  readonly good: SearchInput | null;
  readonly specs: readonly VerdictSpec[];
  readonly verdicts: CompiledVerdicts;
} {
  const last = sources[sources.length - 1];
  const specs = verdictsOrOutcome(options.verdicts, last.outcome);
  const verdicts = compileVerdicts(specs, last.symbols, scriptAsker(last.start));
  const areBad = sources.map(({ makeGuest, past }) => {
    const schedule = past.inputs;
    const budget = past.lastInstant + options.budget;
    const how = { past, schedule, feed: options.then, verdicts, budget };
    return runFromReset(makeGuest(), how).result.finding !== null;
  });
  const bads = sources.filter((_, place) => areBad[place]);
  if (bads.length === 0) throw new UserError(`no verdict holds in ${paths.join(' or ')}`);
  if (bads.length > 1) {
    throw new UserError(`${paths.join(' and ')} are both bad; give a good one, or one alone`);
  }
  const good = sources.find((_, place) => !areBad[place]) ?? null;
  if (good !== null && !isSameGuest(good, bads[0])) {
    throw new UserError(
      `${paths.join(' and ')} are of different guests; record both with the same image`,
    );
  }
  return { bad: bads[0], good, specs, verdicts };
}

/** Both have the same images in the same machine. */
function isSameGuest(a: SearchInput, b: SearchInput): boolean {
  const images = a.start.images.map(({ bytes }) => Buffer.from(bytes));
  return (
    a.start.machine.memoryBytes === b.start.machine.memoryBytes &&
    images.length === b.start.images.length &&
    images.every((bytes, place) => bytes.equals(b.start.images[place].bytes))
  );
}

function writeRun(folder: string, name: string, source: SearchInput, run: ScheduledRun): string {
  makeFolder(folder);
  const path = join(folder, name);
  writeEvents(OutputFile.create(path), source.start, run.past.events);
  return path;
}
