/** `holdoff shrink`: a shorter trace with the same verdict. */

import { formatInstant } from '../replay/instant.js';
import { shrink as shrinking } from '../search/shrink.js';
import { compileVerdicts, verdictName } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import type { ImageFolders } from './image-options.js';
import { plural } from './numbers.js';
import { inputFromTrace, verdictsOrOutcome } from './search-input.js';
import type { VerdictOptions } from './search-options.js';
import { runToResult } from './stepping.js';
import { OutputFile, readInput, writeEvents } from './trace-file.js';

/** What `holdoff shrink` may be told. */
export type ShrinkOptions = VerdictOptions & ImageFolders & { readonly output?: string };

/** Shrinks a trace; the exit status. */
export async function shrink(path: string, options: ShrinkOptions): Promise<number> {
  const source = inputFromTrace(path, options);
  const specs = verdictsOrOutcome(options.verdicts, source.outcome);
  const verdicts = compileVerdicts(specs, source.symbols, scriptAsker(source.start));
  const work = shrinking(source.makeGuest, source.makeLoaded, source.past, {
    verdicts,
    feed: options.then,
    budget: options.budget,
  });
  const short = await runToResult(work, 'runs');
  if (short === null) return STATUS_INTERRUPTED;
  const { output } = options;
  const file = output === undefined ? OutputFile.createFor(path) : OutputFile.create(output);
  const { checkpoint, finding, inputs, begins, ends } = short;
  const start = checkpoint === null ? source.start : { ...source.start, checkpoint };
  writeEvents(file, start, short.events);
  const began = source.past.begin?.at ?? 0;
  process.stdout.write(
    `verdict   ${verdictName(specs[finding.verdict])}: ${finding.what}, at ${formatInstant(finding.at)}
events    ${inputs.after} of ${plural(inputs.before, 'event')} left; 1-minimal: without any one of them it is another verdict
instants  ${formatInstant(begins)} to ${formatInstant(ends)}; before ${formatInstant(began)} to ${formatInstant(source.past.lastInstant)}
trace     ${file.path}: ${plural(file.bytes, 'byte')}; before ${plural(readInput(path).length, 'byte')}
`,
  );
  return STATUS_OK;
}
