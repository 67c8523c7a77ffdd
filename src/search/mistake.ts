/** What is wrong in a text that the user typed, and where in it. */
import { UserError } from '../machine/user-error.js';

/** A typo in a small language of ours: shown as the text with a caret under the place. */
export class TextMistake extends UserError {
  readonly text: string;
  /** Where in `text` the mistake is: 0 to its length. */
  readonly offset: number;

  /** @param what what was expected there, without the place. */
  constructor(what: string, text: string, offset: number) {
    super(what);
    this.text = text;
    this.offset = offset;
  }

  /** The text and below it the caret: two lines, each indented by two spaces. */
  get picture(): string {
    const shown = this.text.replace(/\p{Cc}/gu, ' ');
    return `  ${shown}\n  ${' '.repeat(this.offset)}^`;
  }
}
