/** `--inject`: events from outside at chosen instants. */
import { InvalidArgumentError, Option } from 'commander';
import { hasErrorCode } from '../cpu/fault.js';
import type { PlacedInput, PlacedInputs } from '../replay/clock/placed-inputs.js';
import { formatInstant, type Instant } from '../replay/instant.js';

const EXCEPTIONS = 32;
const NMI_VECTOR = 2;
const SYNTAX = 'Give nmi@INSTANT or VECTOR[:ERROR]@INSTANT, such as nmi@5000 or 13:0x10@5000.';

type PlacedException = Extract<PlacedInput['input'], { kind: 'exception' }>;

/** For verbs that run a machine live. */
export function injectOption(): Option {
  return new Option(
    '--inject <event>',
    'nmi@INSTANT, or an exception VECTOR[:ERROR]@INSTANT; may be given several times',
  )
    .argParser((text: string, placed: readonly PlacedInput[] | undefined) => [
      ...(placed ?? []),
      parsePlaced(text),
    ])
    .default([], 'nothing');
}

/** An event with its instant. @throws InvalidArgumentError. */
export function parsePlaced(text: string): PlacedInput {
  const match = /^(nmi|(\d+|0x[\da-f]+)(?::(\d+|0x[\da-f]+))?)@(\d+)$/i.exec(text);
  if (match === null) throw new InvalidArgumentError(SYNTAX);
  const [, what, vectorText, errorText, instantText] = match as (string | undefined)[];
  const at = Number(instantText);
  if (!Number.isSafeInteger(at)) throw new InvalidArgumentError(SYNTAX);
  if (what!.toLowerCase() === 'nmi') return { at, input: { kind: 'nmi' } };
  return { at, input: exceptionInput(vectorText!, errorText) };
}

/**
 * An exception by its vector, and its error code, which is 0 where it has one and none is given.
 * @throws InvalidArgumentError
 */
export function exceptionInput(vectorText: string, errorText: string | undefined): PlacedException {
  const vector = Number(vectorText);
  if (vector >= EXCEPTIONS || vector === NMI_VECTOR) {
    throw new InvalidArgumentError('An exception has a vector from 0 to 31, and 2 is spelt nmi.');
  }
  const pushesError = hasErrorCode(vector);
  if (errorText !== undefined && !pushesError) {
    throw new InvalidArgumentError(`Vector ${vector} has no error code: leave it out.`);
  }
  const error = Number(errorText ?? 0);
  if (error > 0xffffffff) throw new InvalidArgumentError('An error code has 32 bits.');
  return { kind: 'exception', vector, errorCode: pushesError ? error | 0 : null };
}

/** Says on stderr what the run has ended before. */
export function reportLeft(placed: PlacedInputs, end: Instant): void {
  for (const { at, input } of placed.left) {
    const what = input.kind === 'exception' ? `exception ${input.vector}` : input.kind;
    process.stderr.write(
      `holdoff: ${what} was never injected: the run ended at ${formatInstant(end)}, before ${formatInstant(at)}\n`,
    );
  }
}
