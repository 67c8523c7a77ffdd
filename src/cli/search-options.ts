/** The options that all searching verbs share: verdicts, what is placed, and how long runs may be. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../machine/user-error.js';
import type { PlacedInput } from '../search/schedule.js';
import { FEEDS, type Feed } from '../search/schedule-source.js';
import type { VerdictSpec } from '../search/verdict.js';
import { exceptionInput } from './inject-option.js';
import { parsePositiveCount } from './machine-options.js';

/** Instructions that a run may take from where it departs from the base run. */
const BUDGET = 1_000_000;

/** What `addVerdictOptions` puts into a verb's options. */
export interface VerdictOptions {
  /** In the order of the command line. */
  readonly verdicts: readonly VerdictSpec[];
  readonly budget: number;
  readonly then: Feed;
}

/** What `addEventOptions` puts into a verb's options. */
export interface EventOptions {
  readonly irq?: readonly number[];
  readonly nmi?: true;
  readonly exception?: readonly PlacedInput[];
}

/** Adds the verdicts, and what says which inputs a run gets besides. */
export function addVerdictOptions(command: Command): Command {
  return addJudgement(command).addOption(
    new Option('--then <feed>', 'what comes behind the last recorded input')
      .choices(FEEDS)
      .default('idle'),
  );
}

/**
 * Adds the verdicts, and how long a run may be. The verdicts are collected in the order in
 * which they were typed, whatever their kinds: `verdictsOf` gives them.
 */
export function addJudgement(command: Command): Command {
  const verdicts: VerdictSpec[] = [];
  collected.set(command, verdicts);
  const collect =
    (make: (text: string) => VerdictSpec) =>
    (text: string): string => {
      verdicts.push(make(text));
      return text;
    };
  return command
    .addOption(
      new Option(
        '--bad-exit <expr>',
        'bad: the exit status compares so, such as !=0 or ==99',
      ).argParser(collect((text) => ({ kind: 'exit', text }))),
    )
    .addOption(
      new Option('--bad-serial <regex>', 'bad: a line of serial output matches').argParser(
        collect((text) => ({ kind: 'serial', text })),
      ),
    )
    .addOption(
      new Option('--bad-hit <symbol>', 'bad: this symbol or address is reached').argParser(
        collect((text) => ({ kind: 'hit', text })),
      ),
    )
    .addOption(new Option('--bad-crash', 'bad: a triple fault, a reset, or a panic at port 0x505'))
    .addOption(
      new Option(
        '--bad-hang <n>',
        'bad: no interrupt is taken for n steps, or halted for ever',
      ).argParser(collect((text) => ({ kind: 'hang', steps: parsePositiveCount(text) }))),
    )
    .addOption(
      new Option(
        '--assert <where: expr>',
        'bad: expr is 0 at an entry to user mode (cpl3), an IRET (iret), an interrupt (irq) or a symbol',
      ).argParser(collect((text) => ({ kind: 'assert', text }))),
    )
    .addOption(
      new Option(
        '--bad-script <command>',
        'bad: the command, given the path of a trace, exits with 1 to 124; 0 is good, 125 skips',
      ).argParser(collect((text) => ({ kind: 'script', command: text }))),
    )
    .on('option:bad-crash', () => verdicts.push({ kind: 'crash' }))
    .addOption(
      new Option('--budget <n>', 'instructions of one run, after which it is good')
        .argParser(parsePositiveCount)
        .default(BUDGET),
    );
}

const collected = new WeakMap<Command, readonly VerdictSpec[]>();

/** The verdicts of a command that was parsed. */
export function verdictsOf(command: Command): readonly VerdictSpec[] {
  return collected.get(command) ?? [];
}

/** Adds the kinds of input that can be placed. */
export function addEventOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--irq <line>', 'place an interrupt request').argParser(
        (text: string, before: readonly number[] | undefined) => [
          ...(before ?? []),
          parseLine(text),
        ],
      ),
    )
    .option('--nmi', 'place an NMI')
    .addOption(
      new Option('--exception <v[:e]>', 'place an exception, with an error code').argParser(
        (text: string, before: readonly PlacedInput[] | undefined) => [
          ...(before ?? []),
          parseException(text),
        ],
      ),
    );
}

/** The input that is to be placed. @throws UserError unless exactly one was named. */
export function placedInput(options: EventOptions): PlacedInput {
  const inputs = namedInputs(options);
  if (inputs.length === 1) return inputs[0];
  throw new UserError('name one event to place: --irq N, --nmi or --exception V');
}

/**
 * The two inputs of each pair that is to be placed: one that was named stands for both.
 * @throws UserError unless one or two were named.
 */
export function placedPair(options: EventOptions): readonly [PlacedInput, PlacedInput] {
  const inputs = namedInputs(options);
  if (inputs.length === 1 || inputs.length === 2) return [inputs[0], inputs[inputs.length - 1]];
  throw new UserError('name the events of a pair: one or two of --irq N, --nmi and --exception V');
}

function namedInputs({ irq, nmi, exception }: EventOptions): PlacedInput[] {
  return [
    ...(irq ?? []).map((line): PlacedInput => ({ kind: 'irq', line })),
    ...(nmi === true ? [{ kind: 'nmi' } as const] : []),
    ...(exception ?? []),
  ];
}

/** `IRQ 0`, `NMI`, `exception 14 (error code 2)`. */
export function inputText(input: PlacedInput): string {
  switch (input.kind) {
    case 'irq':
      return `IRQ ${input.line}`;
    case 'nmi':
      return 'NMI';
    case 'exception': {
      const code =
        input.errorCode === null ? '' : ` (error code 0x${input.errorCode.toString(16)})`;
      return `exception ${input.vector}${code}`;
    }
    case 'serial':
      return `serial byte 0x${input.byte.toString(16)}`;
  }
}

/** Lines that no device holds: see `Machine.inject`. */
const LINES = [0, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

function parseLine(text: string): number {
  const line = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (LINES.includes(line)) return line;
  throw new InvalidArgumentError(`Give one of ${LINES.join(', ')}; 16 is the local APIC's timer.`);
}

function parseException(text: string): PlacedInput {
  const match = /^(\d+|0x[\da-f]+)(?::(\d+|0x[\da-f]+))?$/i.exec(text);
  if (match !== null) return exceptionInput(match[1], match[2]);
  throw new InvalidArgumentError(
    'Give a vector below 32, and an error code if one is pushed: 14:2.',
  );
}
