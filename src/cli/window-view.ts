/**
 * The window around an event as a table: a line for each step, with the instant, the privilege level,
 * IF and the interrupt shadow in which the step begins, the instruction, and in the margin what
 * happened there. Rendering alone: window-rows.ts finds out what to show.
 */
import { Chalk, type ChalkInstance } from 'chalk';
import { SHADOW_MOV_SS, SHADOW_STI } from '../cpu/state-layout.js';
import { formatInstant } from '../replay/instant.js';
import { hex32, plural } from './numbers.js';

/** One step, by the state in which it begins. */
export interface StepRow {
  /** `delivery`: no instruction but the entry into an interrupt's or exception's handler. */
  readonly kind: 'instruction' | 'delivery';
  readonly instant: number;
  readonly cpl: number;
  /** EFLAGS.IF. */
  readonly isInterruptible: boolean;
  /** One of SHADOW_*. */
  readonly shadow: number;
  readonly eip: number;
  /** The symbol of EIP, with its offset. */
  readonly symbol: string | null;
  /** The disassembled instruction, or what is delivered. */
  readonly text: string;
  /** What happens here, for the margin. */
  readonly note: string | null;
}

/** Steps that are not shown one by one. */
export interface GapRow {
  readonly kind: 'gap';
  readonly steps: number;
  /** Where they are: names of functions. */
  readonly text: string;
}

export type WindowRow = StepRow | GapRow;

const SHADOW_NAMES: Readonly<Record<number, string>> = {
  [SHADOW_STI]: 'STI',
  [SHADOW_MOV_SS]: 'MOV SS',
};

/** `STI`, `MOV SS` or `-`. */
export function shadowName(shadow: number): string {
  return shadow in SHADOW_NAMES ? SHADOW_NAMES[shadow] : '-';
}

/** The table, each line ending in a newline; with terminal colours where they are asked for. */
export function renderWindow(rows: readonly WindowRow[], isColoured: boolean): string {
  const chalk = new Chalk({ level: isColoured ? 1 : 0 });
  const steps = rows.filter((row) => row.kind !== 'gap');
  const widths = {
    instant: longest(['instant', ...steps.map((row) => formatInstant(row.instant))]),
    where: longest(['where', ...steps.map((row) => row.symbol ?? '')]),
    text: longest(['instruction', ...steps.map((row) => row.text)]),
  };
  const head = [
    'instant'.padStart(widths.instant),
    'CPL',
    'IF',
    'shadow',
    'EIP     ',
    'where'.padEnd(widths.where),
    'instruction',
  ].join('  ');
  const lines = rows.map((row) =>
    row.kind === 'gap'
      ? chalk.dim(`${' '.repeat(widths.instant)}  ... ${plural(row.steps, 'step')}: ${row.text}`)
      : renderStep(row, widths, chalk),
  );
  return `${[chalk.bold(head), ...lines].join('\n')}\n`;
}

function renderStep(
  row: StepRow,
  widths: { instant: number; where: number; text: number },
  chalk: ChalkInstance,
): string {
  const state = [
    formatInstant(row.instant).padStart(widths.instant),
    String(row.cpl).padStart(3),
    row.isInterruptible ? ' 1' : ' 0',
    shadowName(row.shadow).padEnd(6),
    hex32(row.eip),
    (row.symbol ?? '').padEnd(widths.where),
  ].join('  ');
  const text = row.note === null ? row.text : row.text.padEnd(widths.text);
  const note = row.note === null ? '' : `  ${chalk.yellow(`<- ${row.note}`)}`;
  return `${state}  ${paint(row, chalk)(text)}${note}`;
}

/** Deliveries stand out; user mode is told from the kernel, and the kernel's open windows from both. */
function paint(row: StepRow, chalk: ChalkInstance): (text: string) => string {
  if (row.kind === 'delivery') return chalk.bold.red;
  if (row.cpl === 3) return chalk.green;
  return row.isInterruptible && row.shadow === 0 ? chalk.bold.yellow : (text) => text;
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
