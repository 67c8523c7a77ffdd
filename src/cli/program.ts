/**
 * The command line: which verbs there are, their options, their help. What a verb does is in the
 * verb's own file, which is loaded when the verb is used.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { EngineKind } from '../cpu/engine/engine.js';
import { CHECKPOINT_BYTES } from '../replay/checkpoint.js';
import { parseInstant } from '../replay/instant.js';
import type { BisectOptions } from './bisect.js';
import { parseCallName } from './call-option.js';
import { describeError, oneLine, STATUS_OK } from './errors.js';
import type { ExploreOptions } from './explore-options.js';
import type { GdbOptions } from './gdb.js';
import { type ImageFolders, imageFolderOption, imagesOption } from './image-options.js';
import { injectOption } from './inject-option.js';
import { parseListen } from './listen-address.js';
import {
  addMachineOptions,
  comparedEngineOption,
  LOCKSTEP,
  type MachineOptions,
  parseBudget,
  parseCount,
  parsePositiveCount,
  tracePortsOption,
} from './machine-options.js';
import { holdoffVersion } from './package-root.js';
import type { RecordOptions } from './record.js';
import { parseRedis } from './redis-address.js';
import { ROW_KINDS } from './row-kinds.js';
import { addEventOptions, addJudgement, addVerdictOptions, verdictsOf } from './search-options.js';
import type { ShrinkOptions } from './shrink.js';
import type { WorkerOptions } from './worker.js';
import { defaultWorkers } from './worker-count.js';

const STATUSES = `
Exit status: 0 when all went well, 1 for a user's error (one line on stderr), 2 where a replay
diverged; run, record and replay end with the guest's own status where it gave one: a byte v written
to port 0xf4 is status (v << 1 | 1) & 0xff.`;

/** What --engine takes of the verbs that can compare. */
type EngineChoice = EngineKind | typeof LOCKSTEP;

/** Where help, the version and errors are printed. */
export interface CommandOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Runs one command line to its end; the exit status. Throws nothing: what goes wrong is a line on
 * stderr, with the stack below it where `isDebugging`.
 */
export async function runCommandLine(
  words: readonly string[],
  output: CommandOutput,
  isDebugging = false,
): Promise<number> {
  let status = STATUS_OK;
  const program = createProgram(output, (verbStatus) => {
    status = verbStatus;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    const ending = describeError(error, isDebugging);
    if (ending.message !== '') output.stderr(ending.message);
    return ending.status;
  }
}

/**
 * Builds the parser. The chosen verb's promise gives the exit status, which `setStatus` receives.
 * Errors in the arguments are thrown as CommanderError, after their line is on stderr.
 */
function createProgram(output: CommandOutput, setStatus: (status: number) => void): Command {
  const program = new Command('holdoff')
    .description('Record, replay and debug i386 kernels, every interrupt where it was.')
    .version(holdoffVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [verb]', 'show the help of a verb')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: output.stdout,
      writeErr: output.stderr,
      outputError: (text, write) => write(`${usageLine(text)}\n`),
    })
    .addHelpText('after', STATUSES);

  addMachineOptions(verb('run', 'run an image, recording nothing'), comparedEngineOption())
    .argument('[image]', 'Multiboot, ELF or flat binary kernel; none with --bios')
    .addOption(injectOption())
    .addHelpText('after', example('holdoff run kernel.elf --memory 32M --cmdline "debug"'))
    .action(async (image: string | undefined, options: MachineOptions) => {
      if ((options.engine as EngineChoice) === LOCKSTEP) {
        const { lockstepImage } = await import('./lockstep.js');
        setStatus(await lockstepImage(image, options));
        return;
      }
      const { run } = await import('./run.js');
      setStatus(await run(image, options));
    });

  addJudgement(addMachineOptions(verb('record', 'run an image and write a trace of the run')))
    .argument('[image]', 'Multiboot, ELF or flat binary kernel; none with --bios')
    .option('-o, --output <trace>', "where to write (default: the image's name with .trace)")
    .addOption(imagesOption())
    .addOption(injectOption())
    .addOption(
      new Option(
        '--checkpoint-every <n>',
        'keep a checkpoint in the trace every so many steps: it opens near any instant at once',
      ).argParser(parsePositiveCount),
    )
    .option('--until-bad', 'try seeds in turn, and write the trace of the first run that is bad')
    .addOption(
      new Option('--runs <n>', 'with --until-bad: how many runs at most')
        .argParser(parsePositiveCount)
        .default(1000),
    )
    .addOption(
      new Option('--points <d>', 'with --until-bad: how many interrupts a run gets')
        .argParser(parsePositiveCount)
        .default(3),
    )
    .addHelpText(
      'after',
      example('holdoff record kernel.elf -o race.trace --clock random --seed 7'),
    )
    .action(async (image: string | undefined, given: RecordOptions, command: Command) => {
      const options = { ...given, verdicts: verdictsOf(command) };
      const { record } = await import('./record.js');
      const { recordUntilBad } = await import('./record-until-bad.js');
      setStatus(await (options.untilBad === true ? recordUntilBad : record)(image, options));
    });

  verb('replay', 'run a trace again and check that it does the same')
    .argument('<trace>', 'a recorded trace')
    .option('--json', 'print the result as JSON, and not what the guest prints')
    .addOption(new Option('--to <instant>', 'stop at this instant').argParser(parseInstantOption))
    .addOption(comparedEngineOption())
    .addOption(tracePortsOption())
    .addOption(imageFolderOption())
    .addHelpText('after', example('holdoff replay race.trace'))
    .action(
      async (
        trace: string,
        options: ImageFolders & {
          engine: EngineKind;
          json?: true;
          to?: number;
          tracePorts?: true;
        },
      ) => {
        if ((options.engine as EngineChoice) === LOCKSTEP) {
          const { lockstepTrace } = await import('./lockstep.js');
          setStatus(await lockstepTrace(trace, options));
          return;
        }
        const { replay } = await import('./replay.js');
        setStatus(await replay(trace, options));
      },
    );

  verb('info', "show a trace's machine, size, events and end")
    .argument('<trace>', 'a recorded trace')
    .option('--json', 'print JSON')
    .addHelpText('after', example('holdoff info race.trace --json'))
    .action(async (trace: string, options: { json?: true }) => {
      const { info } = await import('./info.js');
      setStatus(info(trace, options));
    });

  verb('events', "list a trace's events")
    .argument('<trace>', 'a recorded trace')
    .addOption(
      new Option('--around <instant>', 'only the events next to this instant').argParser(
        parseInstantOption,
      ),
    )
    .addOption(
      new Option('--count <n>', 'with --around: how many before, and how many from there on')
        .argParser(parsePositiveCount)
        .default(10),
    )
    .addOption(new Option('--kind <kinds...>', 'only these kinds').choices(ROW_KINDS))
    .addOption(
      new Option(
        '--call <names...>',
        "only these calls of a hypervisor's, by the names that info gives them",
      ).argParser(parseCallName),
    )
    .option('--json', 'print one JSON object a line')
    .addOption(imageFolderOption())
    .addHelpText('after', example('holdoff events race.trace --around @1234567 --count 5'))
    .action(
      async (
        trace: string,
        options: ImageFolders & {
          around?: number;
          count: number;
          kind?: string[];
          call?: string[];
          json?: true;
        },
      ) => {
        const { events } = await import('./events.js');
        setStatus(await events(trace, options));
      },
    );

  addMachineOptions(verb('gdb', 'serve a trace, or an image that runs live, to gdb'))
    .argument('[trace-or-image]', 'a recorded trace, or a kernel; none with --bios')
    .addOption(
      new Option('--listen <host:port>', 'where gdb connects to')
        .argParser(parseListen)
        .default({ host: '127.0.0.1', port: 1234 }, '127.0.0.1:1234'),
    )
    .addOption(
      new Option('--checkpoint-memory <size>', 'memory that checkpoints to go back to may take')
        .argParser(parseBudget)
        .default(CHECKPOINT_BYTES, '512M'),
    )
    .option('--once', 'end when the first client has gone')
    .option('--save <trace>', 'of an image that runs live: write what was recorded to a trace')
    .addOption(imagesOption())
    .addOption(imageFolderOption())
    .option(
      '--print-gdbinit',
      'print a script for gdb with commands of holdoff, and do nothing else',
    )
    .addHelpText(
      'after',
      `${example('holdoff gdb race.trace')}
Then in another terminal: gdb kernel.elf -ex 'target remote localhost:1234'`,
    )
    .action(async (path: string | undefined, options: GdbOptions) => {
      const { gdb } = await import('./gdb.js');
      setStatus(await gdb(path, options));
    });

  addExploreOptions(
    addMachineOptions(
      verb('explore', 'place an event at every instant of a range, and map what fails'),
    ),
  )
    .argument('[trace-or-image]', 'a recorded trace, or a kernel that is recorded first')
    .addHelpText(
      'after',
      example('holdoff explore race.trace --irq 0 --in sti_sysexit_sti..sti_sysexit_sysexit'),
    )
    .action(async (path: string | undefined, options: ExploreOptions, command: Command) => {
      const all = { ...options, verdicts: verdictsOf(command) };
      const { explore } = await import('./explore.js');
      const { explorePairs } = await import('./explore-pairs.js');
      setStatus(await (options.pairs === true ? explorePairs : explore)(path, all));
    });

  addVerdictOptions(
    verb('bisect', 'find the events, the window and the instruction that make a trace bad'),
  )
    .argument('<traces...>', 'a bad trace, or a good and a bad one of one guest')
    .option('-o, --out <folder>', 'write good.trace and bad.trace, equal up to one event')
    .addOption(imageFolderOption())
    .option('--json', 'print JSON')
    .addHelpText('after', example('holdoff bisect race.trace --out found'))
    .action(async (traces: string[], options: BisectOptions, command: Command) => {
      const { bisect } = await import('./bisect.js');
      setStatus(await bisect(traces, { ...options, verdicts: verdictsOf(command) }));
    });

  addVerdictOptions(verb('shrink', 'make a shorter trace with the same verdict'))
    .argument('<trace>', 'a recorded trace that is bad')
    .option('-o, --output <trace>', "where to write (default: the trace's name, numbered)")
    .addOption(imageFolderOption())
    .addHelpText('after', example('holdoff shrink race.trace -o short.trace'))
    .action(async (trace: string, options: ShrinkOptions, command: Command) => {
      const { shrink } = await import('./shrink.js');
      setStatus(await shrink(trace, { ...options, verdicts: verdictsOf(command) }));
    });

  verb('pack', 'write a trace anew with all of its images inside')
    .argument('<trace>', 'a recorded trace')
    .option('-o, --output <trace>', "a new file (default: the trace's name, numbered)")
    .addOption(imageFolderOption())
    .addHelpText('after', example('holdoff pack linux.trace -o linux-whole.trace'))
    .action(async (trace: string, options: ImageFolders & { output?: string }) => {
      const { pack } = await import('./pack.js');
      setStatus(pack(trace, options));
    });

  verb('worker', 'do the placements that others put on a queue')
    .addOption(queueOption('the queue').makeOptionMandatory())
    .addOption(workersOption())
    .addHelpText('after', example('holdoff worker --queue redis://10.0.0.1:6379'))
    .action(async (options: WorkerOptions) => {
      const { worker } = await import('./worker.js');
      setStatus(await worker(options));
    });

  verb('demo', 'catch the race of the guest that comes with holdoff, and show its window')
    .addOption(new Option('--seed <n>', 'the first seed to try').argParser(parseCount).default(1))
    .addHelpText('after', example('holdoff demo'))
    .action(async (options: { seed: number }) => {
      const { demo } = await import('./demo.js');
      setStatus(await demo(options));
    });

  return program;

  function verb(name: string, description: string): Command {
    return program.command(name).description(description).showSuggestionAfterError();
  }
}

/** Where an event is placed, and what is printed and written of it. */
function addExploreOptions(command: Command): Command {
  return addVerdictOptions(addEventOptions(command))
    .addOption(
      new Option('--from <instant>', 'the first instant to place it at').argParser(
        parseInstantOption,
      ),
    )
    .addOption(
      new Option('--to <instant>', 'the last instant to place it at').argParser(parseInstantOption),
    )
    .option('--around <symbol>', 'place it before and after a visit of a symbol or address')
    .addOption(
      new Option('--radius <n>', 'how many instants before and after')
        .argParser(parseCount)
        .default(100),
    )
    .option('--in <start..end>', 'place it at all visits of these addresses, both included')
    .option('--pairs', 'place two events, at all pairs of instants of the range')
    .addOption(
      new Option(
        '--within <n>',
        'with --pairs: how many instants behind the first the second may come (default: to the end of the range)',
      ).argParser(parseCount),
    )
    .addOption(workersOption())
    .addOption(queueOption('hand the placements to the workers of this queue'))
    .option('--resume', 'go on with the same search, which Ctrl-C has stopped')
    .option('-o, --out <folder>', 'write a trace of each failure that is unlike the others')
    .addOption(imagesOption())
    .addOption(imageFolderOption())
    .option('--json', 'print JSON');
}

function workersOption(): Option {
  return new Option('--workers <n>', 'threads that try placements')
    .argParser(parsePositiveCount)
    .default(defaultWorkers(), 'all cores');
}

function queueOption(what: string): Option {
  return new Option('--queue <url>', `${what}: a Redis, such as redis://127.0.0.1:6379`).argParser(
    parseRedis,
  );
}

function parseInstantOption(text: string): number {
  try {
    return parseInstant(text);
  } catch {
    throw new InvalidArgumentError('Give an instant such as @1234567.');
  }
}

function example(command: string): string {
  return `\nExample:\n  ${command}`;
}

/** Commander's `error: what` as holdoff's one line. */
function usageLine(text: string): string {
  const [first, ...rest] = text.trim().split('\n');
  const what = first.replace(/^error: /, '').replace(/\.$/, '');
  // Commander puts "(Did you mean ...?)" on a line of its own.
  const guess = /Did you mean (.*)\?/.exec(rest.join(' '));
  return oneLine(
    `holdoff: ${what}; ${guess === null ? 'see --help' : `did you mean ${guess[1]}?`}`,
  );
}
