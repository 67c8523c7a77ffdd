/** The kinds of rows of events; apart from them, so that help needs no disassembler. */
import { COUNTED_KINDS } from '../replay/event.js';

/** An accepted interrupt is in the row of the line that rose. */
export const ROW_KINDS: readonly string[] = [
  ...COUNTED_KINDS.filter((kind) => kind !== 'accept'),
  'end',
];
