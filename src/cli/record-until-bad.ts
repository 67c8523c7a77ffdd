/** `holdoff record --until-bad`: seeds in turn, and the trace of the first run that is bad. */
import { UserError } from '../machine/user-error.js';
import { formatInstant } from '../replay/instant.js';
import { untilBad } from '../search/until-bad.js';
import { compileVerdicts, verdictName } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { setUp, startFromOptions, startPath } from './machine-setup.js';
import { groupDigits, plural } from './numbers.js';
import type { RecordOptions } from './record.js';
import { runToResult } from './stepping.js';
import { OutputFile, writeEvents } from './trace-file.js';

/** Tries runs until one is bad; the exit status. */
export async function recordUntilBad(
  image: string | undefined,
  options: RecordOptions,
): Promise<number> {
  const { verdicts: specs, runs, points, budget } = options;
  if (options.clock !== 'random') {
    throw new UserError('--until-bad draws instants at random; add --clock random');
  }
  if (specs.length === 0) {
    throw new UserError('--until-bad needs a verdict: give --bad-exit, --assert or another');
  }
  const wanted = startFromOptions(image, options);
  const { machine, image: loaded } = setUp(wanted, options.engine);
  const { symbols } = loaded;
  const flat = { ...wanted, loadAddress: loaded.kind === 'flat' ? loaded.entry : null };
  const verdicts = compileVerdicts(specs, symbols, scriptAsker(flat));
  const work = untilBad(
    { machine, symbols },
    {
      verdicts,
      budget: Math.min(budget, options.maxInstructions),
      seed: options.seed,
      runs,
      points,
      line: 0,
    },
  );
  const bad = await runToResult(work, 'runs');
  if (bad === null) return STATUS_INTERRUPTED;
  if (bad === 'none') {
    process.stderr.write(
      `holdoff: none of ${plural(runs, 'run')} was bad, seeds ${options.seed} to ${options.seed + runs - 1}; try more --runs, --points or --budget\n`,
    );
    return STATUS_OK;
  }
  const file =
    options.output === undefined
      ? OutputFile.createFor(startPath(image, options))
      : OutputFile.create(options.output);
  const { seed, run, finding, events } = bad;
  writeEvents(file, { ...flat, machine: { ...flat.machine, seed } }, events);
  process.stdout.write(
    `seed ${seed}, run ${groupDigits(run)}: ${verdictName(specs[finding.verdict])}: ${finding.what}, at ${formatInstant(finding.at)}\n`,
  );
  process.stderr.write(`holdoff: wrote ${file.path}: ${plural(file.bytes, 'byte')}\n`);
  return STATUS_OK;
}
