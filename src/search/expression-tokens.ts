/** Cuts an expression into words, numbers and operators. */
import { TextMistake } from './mistake.js';

/** One token, and where it stands in the text. */
export interface Token {
  /** `end` is behind the last one. */
  readonly kind: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  readonly offset: number;
}

/** Longer ones first. */
const TOKEN =
  /\s*(?:(?:0[xX][\da-fA-F_]+|\d[\w]*)|(?:[A-Za-z_.$][\w.$]*)|(?:\|\||&&|==|!=|<=|>=|<<|>>|[|^&<>+\-*/%!~()[\]]))/y;

/**
 * All tokens of a text from an offset on, with one of kind `end` as the last.
 * @throws TextMistake at what begins no token.
 */
export function tokensOf(text: string, from = 0): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = from;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const offset = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
      if (offset < text.length) {
        throw new TextMistake(`unexpected ${JSON.stringify(text[offset])}`, text, offset);
      }
      return [...tokens, { kind: 'end', text: '', offset: text.trimEnd().length }];
    }
    const word = match[0].trimStart();
    const kind = /^\d/.test(word) ? 'number' : /^[\w.$]/.test(word) ? 'name' : 'operator';
    tokens.push({ kind, text: word, offset: TOKEN.lastIndex - word.length });
  }
}
