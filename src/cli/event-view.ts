/** Event rows as lines of text. */
import { describeLine, isAlarmLine, LINE_APIC_TIMER } from '../machine/input.js';
import { formatInstant } from '../replay/instant.js';
import type { EventRow, InterruptRow, PlainRow } from './event-rows.js';
import { hex32 } from './numbers.js';

const INSTANT_WIDTH = 12;
const KIND_WIDTH = 9;

/** One row as a line without its newline: `    @1234567  irq        line 0, taken at ...`. */
export function renderEvent(row: EventRow): string {
  const text = rowText(row);
  const instant = formatInstant(row.instant).padStart(INSTANT_WIDTH);
  return `${instant}  ${row.kind.padEnd(KIND_WIDTH)}  ${text}`.trimEnd();
}

function rowText(row: EventRow): string {
  if (row.kind === 'irq') return interruptText(row);
  return row.kind === 'shim' ? callText(row) : fieldsText(row);
}

/** `EnableInterrupts(200) = 1 from 00100300 <system_call+0x12>`, numbers in hexadecimal. */
function callText({ name, site, symbol, args, result }: PlainRow): string {
  const list = (args as number[]).map((value) => value.toString(16)).join(', ');
  const answer = typeof result === 'number' ? ` = ${result.toString(16)}` : '';
  const where = typeof symbol === 'string' ? ` <${symbol}>` : '';
  return `${String(name)}(${list})${answer} from ${hex32(site as number)}${where}`;
}

function interruptText(row: InterruptRow): string {
  const { line, acceptedAt, vector, cpl, eip, symbol, shadow } = row;
  if (isAlarmLine(line)) return `${lineText(line)} expires`;
  if (acceptedAt === null || vector === null || eip === null)
    return `${lineText(line)}, never taken`;
  const where = symbol === null ? hex32(eip) : `${hex32(eip)} <${symbol}>`;
  const cause = row.raisedAt === null ? 'spurious, ' : '';
  return `${lineText(line)}, ${cause}taken ${formatInstant(acceptedAt)} as vector 0x${vector.toString(16)} at CPL ${cpl ?? '?'}, EIP ${where}, shadow ${shadow ?? 'none'}`;
}

function lineText(line: number): string {
  return line < LINE_APIC_TIMER ? `line ${line}` : describeLine(line);
}

function fieldsText(row: EventRow): string {
  return Object.entries(row)
    .filter(([field]) => field !== 'instant' && field !== 'kind')
    .map(([field, value]) => `${field} ${valueText(value)}`)
    .join(', ');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(' ')}]`;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'kind' in value) return String(value.kind);
  return JSON.stringify(value);
}
