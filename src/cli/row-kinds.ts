/** The kinds of rows of events; apart from them, so that help needs no disassembler. */
export const ROW_KINDS = [
  'irq',
  'nmi',
  'exception',
  'clock',
  'serial',
  'shim',
  'digest',
  'end',
] as const;
