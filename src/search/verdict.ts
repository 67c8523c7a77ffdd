/**
 * Verdicts: what makes a run bad. They are texts from the command line, so that they can be handed to
 * another thread or machine, and are compiled against an image's symbols before anything runs.
 */
import type { SymbolTable } from '../machine/symbols.js';
import { UserError } from '../machine/user-error.js';
import type { TraceEvent } from '../replay/event.js';
import type { Outcome } from '../replay/outcome.js';
import { compileComparison, compileExpression, symbolNames } from './expression.js';
import type { Reader } from './guest-values.js';
import { TextMistake } from './mistake.js';

/** One condition under which a run is bad. */
export type VerdictSpec =
  /** The exit status compares so: `!=0`, `==99`, `value == 3`. */
  | { readonly kind: 'exit'; readonly text: string }
  /** A line of serial output matches. */
  | { readonly kind: 'serial'; readonly text: string }
  /** The instruction at a symbol or an address is about to be executed. */
  | { readonly kind: 'hit'; readonly text: string }
  /** A triple fault, a reset, or a write to the panic port. */
  | { readonly kind: 'crash' }
  /** So many steps without an interrupt being taken, or halted for ever. */
  | { readonly kind: 'hang'; readonly steps: number }
  /** `WHERE: EXPR`; a run in which EXPR is 0 there is bad. */
  | { readonly kind: 'assert'; readonly text: string }
  /** A program that is given the path of the run's trace; asked last. */
  | { readonly kind: 'script'; readonly command: string };

/** At which moments an assertion is checked. */
export type AssertMoment = 'cpl3' | 'iret' | 'irq';

/** A condition that is checked at moments or at an address. */
interface CompiledAssert {
  readonly place: number;
  readonly text: string;
  readonly holds: Reader;
}

/** What a script says of a run. */
export type ScriptAnswer = 'good' | 'bad' | 'skip';

/** Has a script judge the trace of a whole run. @throws UserError where it can't be asked. */
export type ScriptAsker = (command: string, events: readonly TraceEvent[]) => ScriptAnswer;

interface CompiledScript {
  readonly place: number;
  readonly ask: (events: readonly TraceEvent[]) => ScriptAnswer;
}

/** Verdicts, ready to be watched for. `place` is always the verdict's place in `specs`. */
export interface CompiledVerdicts {
  readonly specs: readonly VerdictSpec[];
  readonly exits: readonly {
    readonly place: number;
    readonly isBad: (outcome: Outcome) => boolean;
  }[];
  readonly lines: readonly { readonly place: number; readonly pattern: RegExp }[];
  readonly hits: ReadonlyMap<number, number>;
  readonly crash: number | null;
  readonly hang: { readonly place: number; readonly steps: number } | null;
  readonly moments: Readonly<Record<AssertMoment, readonly CompiledAssert[]>>;
  readonly visits: ReadonlyMap<number, readonly CompiledAssert[]>;
  /** Linear addresses, unsigned, at which the machine must stop. */
  readonly breakpoints: ReadonlySet<number>;
  readonly scripts: readonly CompiledScript[];
}

const MOMENTS: readonly AssertMoment[] = ['cpl3', 'iret', 'irq'];
const ADDRESS = /^(0x[\da-f]+|\d+)$/i;

/** What a verdict is called in reports: as it was typed. */
export function verdictName(spec: VerdictSpec): string {
  switch (spec.kind) {
    case 'exit':
    case 'serial':
    case 'hit':
      return `--bad-${spec.kind} ${quoted(spec.text)}`;
    case 'crash':
      return '--bad-crash';
    case 'hang':
      return `--bad-hang ${spec.steps}`;
    case 'assert':
      return `--assert ${quoted(spec.text)}`;
    case 'script':
      return `--bad-script ${quoted(spec.command)}`;
  }
}

/**
 * A symbol's address, or the number that a text says.
 * @throws TextMistake where it is neither.
 */
export function addressOf(text: string, symbols: SymbolTable, whole = text, offset = 0): number {
  if (ADDRESS.test(text)) {
    const address = Number(text);
    if (address <= 0xffffffff) return address;
    throw new TextMistake('not an address of 32 bits', whole, offset);
  }
  const address = symbols.address(text);
  if (address !== null) return address;
  throw new TextMistake(
    text === '' ? 'expected a symbol or an address' : `the image has no symbol ${text}`,
    whole,
    offset,
  );
}

/**
 * Compiles verdicts.
 * @throws TextMistake with the place of a typo; UserError where a hang is asked for twice.
 */
export function compileVerdicts(
  specs: readonly VerdictSpec[],
  symbols: SymbolTable,
  askScript: ScriptAsker = refuseScript,
): CompiledVerdicts {
  const names = symbolNames(symbols);
  const exits: { place: number; isBad: (outcome: Outcome) => boolean }[] = [];
  const lines: { place: number; pattern: RegExp }[] = [];
  const hits = new Map<number, number>();
  const moments: Record<AssertMoment, CompiledAssert[]> = { cpl3: [], iret: [], irq: [] };
  const visits = new Map<number, CompiledAssert[]>();
  const scripts: CompiledScript[] = [];
  let crash: number | null = null;
  let hang: { place: number; steps: number } | null = null;
  specs.forEach((spec, place) => {
    switch (spec.kind) {
      case 'exit':
        exits.push({ place, isBad: compileExit(spec.text) });
        break;
      case 'serial':
        lines.push({ place, pattern: compilePattern(spec.text) });
        break;
      case 'hit': {
        const address = addressOf(spec.text, symbols);
        if (!hits.has(address)) hits.set(address, place);
        break;
      }
      case 'crash':
        crash ??= place;
        break;
      case 'hang':
        if (hang !== null) throw new UserError('--bad-hang was given twice; leave one out');
        hang = { place, steps: spec.steps };
        break;
      case 'assert': {
        const { where, colon } = splitAssert(spec.text);
        const holds = compileExpression(spec.text, names, colon + 1);
        const compiled = { place, text: spec.text, holds };
        const moment = MOMENTS.find((each) => each === where);
        if (moment !== undefined) moments[moment].push(compiled);
        else {
          const address = addressOf(where, symbols, spec.text, spec.text.indexOf(where));
          visits.set(address, [...(visits.get(address) ?? []), compiled]);
        }
        break;
      }
      case 'script':
        scripts.push({ place, ask: (events) => askScript(spec.command, events) });
        break;
    }
  });
  const breakpoints = new Set([...hits.keys(), ...visits.keys()]);
  return { specs, exits, lines, hits, crash, hang, moments, visits, breakpoints, scripts };
}

function refuseScript(command: string): never {
  throw new UserError(`--bad-script ${command}: nobody can run it here; leave it out`);
}

function splitAssert(text: string): { where: string; colon: number } {
  const colon = text.indexOf(':');
  if (colon < 0) {
    throw new TextMistake('expected WHERE: EXPR, such as cpl3: u32[x] == 0', text, text.length);
  }
  return { where: text.slice(0, colon).trim(), colon };
}

/** An expression over `status` and, the byte that the guest wrote, `value`. */
function compileExit(text: string): (outcome: Outcome) => boolean {
  let status = 0;
  let value = 0;
  const reader = compileComparison(text, { status: () => status, value: () => value });
  return (outcome) => {
    if (outcome.kind !== 'exit') return false;
    ({ status, value } = outcome);
    return reader() !== 0;
  };
}

function compilePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    const what = error instanceof Error ? error.message.replace(/^.*\/u?: /, '') : 'unreadable';
    throw new TextMistake(`not a regular expression: ${what}`, text, text.length);
  }
}

function quoted(text: string): string {
  return /^[\w=.@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
