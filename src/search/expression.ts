/**
 * Expressions over a guest's state, as C writes them: registers, flags, `u8[...]`, `u16[...]` and
 * `u32[...]` for memory at a linear address, and symbols, which stand for their addresses. Values are
 * unsigned, of 32 bits, and wrap. A division by zero is 0.
 */
import type { SymbolTable } from '../machine/symbols.js';
import { type Token, tokensOf } from './expression-tokens.js';
import { peek, REGISTER_NAMES, type Reader, registerReader } from './guest-values.js';
import { TextMistake } from './mistake.js';

type Operation = (a: number, b: number) => number;

/** From the loosest to the tightest, as in C. */
const LEVELS: readonly Readonly<Record<string, Operation>>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<': (a, b) => Number(a < b),
    '<=': (a, b) => Number(a <= b),
    '>': (a, b) => Number(a > b),
    '>=': (a, b) => Number(a >= b),
  },
  { '<<': (a, b) => (b > 31 ? 0 : a << b), '>>': (a, b) => (b > 31 ? 0 : a >>> b) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  {
    '*': (a, b) => Math.imul(a, b),
    '/': (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
    '%': (a, b) => (b === 0 ? 0 : a % b),
  },
];
const UNARY: Readonly<Record<string, (a: number) => number>> = {
  '!': (a) => Number(a === 0),
  '~': (a) => ~a,
  '-': (a) => -a,
};
const MEMORY: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4 };
const DEPTH_MOST = 200;

/** What names stand for beside registers: a reader, or null where the name is unknown. */
export type Names = (name: string) => Reader | null;

/** The names of an image's symbols: each reads as its address. */
export function symbolNames(symbols: SymbolTable): Names {
  return (name) => {
    const address = symbols.address(name);
    return address === null ? null : () => address;
  };
}

/**
 * Compiles what stands in a text from an offset to its end.
 * @throws TextMistake with the place of the first mistake.
 */
export function compileExpression(text: string, names: Names, from = 0): Reader {
  const parser = new Parser(text, tokensOf(text, from), names);
  return parser.whole();
}

/**
 * Compiles a comparison of values that are not the machine's, which may leave out its left side: `!=0` says
 * the same as `status != 0`.
 * @param values by name; the first one is the left side that is missing.
 * @returns what it says of the values as they are at a call.
 * @throws TextMistake
 */
export function compileComparison(
  text: string,
  values: Readonly<Record<string, () => number>>,
): () => number {
  const tokens = tokensOf(text);
  const isShort = ['==', '!=', '<', '<=', '>', '>='].includes(tokens[0].text);
  const left: Token = { kind: 'name', text: Object.keys(values)[0], offset: 0 };
  const names: Names = (name) => (Object.hasOwn(values, name) ? values[name] : null);
  const reader = new Parser(text, isShort ? [left, ...tokens] : tokens, names, values).whole();
  // Nothing in there looks at a machine: the parser knows no register and no memory.
  return () => reader(undefined as never);
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #names: Names;
  /** Where they are all that may be named: no machine is looked at. */
  readonly #values: Readonly<Record<string, unknown>> | null;
  #at = 0;
  #depth = 0;

  constructor(
    text: string,
    tokens: readonly Token[],
    names: Names,
    values: Readonly<Record<string, unknown>> | null = null,
  ) {
    this.#text = text;
    this.#tokens = tokens;
    this.#names = names;
    this.#values = values;
  }

  whole(): Reader {
    const reader = this.#binary(0);
    if (this.#next.kind !== 'end') this.#fail('expected an operator or the end');
    return reader;
  }

  get #next(): Token {
    return this.#tokens[this.#at];
  }

  #take(text: string): boolean {
    if (this.#next.kind !== 'operator' || this.#next.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #fail(what: string, token = this.#next): never {
    throw new TextMistake(what, this.#text, token.offset);
  }

  #binary(level: number): Reader {
    if (level === LEVELS.length) return this.#unary();
    const operations = LEVELS[level];
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text } = this.#next;
      if (kind !== 'operator' || !Object.hasOwn(operations, text)) return left;
      this.#at += 1;
      const operation = operations[text];
      const a = left;
      const b = this.#binary(level + 1);
      left = (machine) => operation(a(machine) >>> 0, b(machine) >>> 0) >>> 0;
    }
  }

  #unary(): Reader {
    const token = this.#next;
    this.#depth += 1;
    if (this.#depth > DEPTH_MOST) this.#fail('nested too deeply here');
    const reader = this.#operand(token);
    this.#depth -= 1;
    return reader;
  }

  #operand(token: Token): Reader {
    this.#at += 1;
    if (token.kind === 'number') return this.#number(token);
    if (token.kind === 'name')
      return this.#values === null && Object.hasOwn(MEMORY, token.text)
        ? this.#memory(token)
        : this.#name(token);
    if (Object.hasOwn(UNARY, token.text)) {
      const operation = UNARY[token.text];
      const a = this.#unary();
      return (machine) => operation(a(machine) >>> 0) >>> 0;
    }
    if (token.text !== '(') {
      this.#at -= 1;
      this.#fail(
        this.#values === null
          ? 'expected a number, a register, a symbol, u8[...], u16[...] or u32[...]'
          : `expected a number, or ${this.#valueNames}`,
      );
    }
    const inner = this.#binary(0);
    if (!this.#take(')')) this.#fail('expected ")"');
    return inner;
  }

  #number(token: Token): Reader {
    const digits = token.text.replaceAll('_', '');
    const value = /^(0x[\da-f]+|\d+)$/i.test(digits) ? Number(digits) : Number.NaN;
    if (!(value <= 0xffffffff)) this.#fail('not a number of 32 bits', token);
    return () => value;
  }

  #memory(token: Token): Reader {
    const size = MEMORY[token.text];
    if (!this.#take('[')) this.#fail(`expected "[" after ${token.text}`);
    const address = this.#binary(0);
    if (!this.#take(']')) this.#fail('expected "]"');
    return (machine) => peek(machine, address(machine) | 0, size) >>> 0;
  }

  get #valueNames(): string {
    return Object.keys(this.#values ?? {}).join(' or ');
  }

  #name(token: Token): Reader {
    if (this.#values !== null) {
      const reader = this.#names(token.text);
      return reader ?? this.#fail(`only ${this.#valueNames} can be named here`, token);
    }
    // Registers come first: a kernel has few symbols named `eax`.
    const reader = registerReader(token.text.toLowerCase()) ?? this.#names(token.text);
    if (reader !== null) return (machine) => reader(machine) >>> 0;
    const guess = REGISTER_NAMES.find((name) => name.length > 2 && isClose(name, token.text));
    const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
    return this.#fail(`no register or symbol is named ${token.text}${hint}`, token);
  }
}

/** One letter differs, is missing or is too many. */
function isClose(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const rests = [
    [a.slice(at + 1), b.slice(at + 1)],
    [a.slice(at), b.slice(at + 1)],
    [a.slice(at + 1), b.slice(at)],
  ];
  return rests.some(([x, y]) => x === y);
}
