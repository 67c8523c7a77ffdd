/** `monitor` commands that explain: window, why, last-write. */
import { HALTED, NMI_BLOCKED, NMI_PENDING } from '../../cpu/state-layout.js';
import type { Machine } from '../../machine/machine.js';
import { UserError } from '../../machine/user-error.js';
import { formatInstant } from '../../replay/instant.js';
import { gateOf, linearPc, refuseDiversion, stretchesAround } from '../boundaries.js';
import { pendingVector } from '../guest-registers.js';
import { stretchRow } from '../os-tables.js';
import { describeVector, placeName } from '../symbols.js';
import type { MonitorCommand } from './command.js';
import type { MonitorContext } from './context.js';

/** Boundaries shown to either side, and the most that may be asked for. */
const DEFAULT_REACH = 100;
const MOST_REACH = 100_000;
/** Most rows to either side of the present one. */
const MOST_ROWS = 12;
const MOST_WRITTEN_BYTES = 4096;

export function windowCommands(context: MonitorContext): MonitorCommand[] {
  return [
    {
      name: 'window',
      usage: 'window [COUNT]',
      summary: 'where interrupts could be taken around here, and what closed the way',
      details: [
        `COUNT boundaries to either side, ${DEFAULT_REACH} unless given.`,
        'A row is a stretch of boundaries that are alike; the arrow is on the present one.',
      ],
      run: (args) => showWindow(context, args),
    },
    {
      name: 'why',
      usage: 'why',
      summary: 'why an interrupt could be taken here, or could not',
      details: ['IF, shadow, mask, priority, what is in service, at the present boundary.'],
      run: () => explain(context.timeline.machine).join('\n'),
    },
    {
      name: 'last-write',
      usage: 'last-write ADDRESS [BYTES]',
      summary: 'the instant before here that wrote to an address',
      details: ['ADDRESS is a number or a symbol; 4 BYTES unless given. Stays where it is.'],
      run: (args) => lastWrite(context, args),
    },
  ];
}

function* showWindow(
  { timeline, symbols }: MonitorContext,
  args: readonly string[],
): Generator<undefined, string> {
  const reach = args.length === 0 ? DEFAULT_REACH : parseNumber(args[0]);
  if (reach === null || reach < 1 || reach > MOST_REACH || args.length > 1) {
    throw new UserError(`monitor window: give a number from 1 to ${MOST_REACH}`);
  }
  const stretches = yield* stretchesAround(timeline, reach);
  const here = timeline.instant;
  const place = stretches.findIndex(({ last }) => last >= here);
  const shown = stretches.slice(Math.max(0, place - MOST_ROWS), place + MOST_ROWS + 1);
  return table([
    ['FIRST', 'LAST', 'BOUNDARIES', 'INTERRUPTS', 'WAITING', 'FROM', 'TO'],
    ...shown.map((stretch) => stretchRow(stretch, here, symbols)),
  ]);
}

/** Columns one below the other. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function explain(machine: Machine): string[] {
  const { pic, cpu, apic } = machine;
  const { state } = cpu.core;
  const gate = gateOf(machine);
  const pending = pendingVector(machine);
  const lines: string[] = [];
  const { interceptor } = cpu.core;
  if (pending < 0) lines.push('No interrupt waits for the processor.');
  else if (gate === 'open' || pending === 2) {
    lines.push(`${describeVector(pending)} is taken at this boundary.`);
  } else lines.push(`${describeVector(pending)} waits, and cannot be taken here: ${gate}.`);
  lines.push(
    gate === 'open'
      ? `The processor takes interrupts here: ${interceptor === null ? '' : 'virtual '}IF=1, no shadow.`
      : `The processor takes no interrupts here: ${gate}.`,
  );
  if (interceptor?.isPending === true) {
    lines.push('The hypervisor holds an interrupt until the guest next traps.');
  }
  if (state.get(HALTED) !== 0) lines.push('It is halted.');
  if (state.get(NMI_PENDING) !== 0) lines.push('An NMI waits.');
  if (state.get(NMI_BLOCKED) !== 0) lines.push('NMIs are blocked until the next IRET.');
  for (let line = 0; line < 16; line++) {
    const bit = 1 << line;
    if (line === 2 || (pic.irr & bit) === 0) continue;
    lines.push(`IRQ ${line} is requested${reasonAgainst(machine, line)}.`);
  }
  if (pic.isr !== 0) lines.push(`In service at the 8259s: ${lineList(pic.isr)}.`);
  lines.push(`Masked at the 8259s: ${lineList(pic.imr & ~4) || 'none'}.`);
  if (apic?.isEnabled === true) lines.push('The local APIC is on and has its own priorities.');
  return lines;
}

function reasonAgainst({ pic }: Machine, line: number): string {
  if (pic.imr & (1 << line)) return ', and masked';
  if (line >= 8 && pic.imr & 4) return ', and masked with all of the second 8259';
  const rank = (each: number): number => (each < 8 ? each * 8 : 16 + (each - 8));
  for (let other = 0; other < 16; other++) {
    const isServed = other !== 2 && (pic.isr & (1 << other)) !== 0;
    if (isServed && rank(other) <= rank(line)) return `, and held off by IRQ ${other} in service`;
  }
  return '';
}

function lineList(bits: number): string {
  const lines = Array.from({ length: 16 }, (_, line) => line).filter((line) => bits & (1 << line));
  return lines.map((line) => `IRQ ${line}`).join(', ');
}

function* lastWrite(
  { timeline, symbols }: MonitorContext,
  args: readonly string[],
): Generator<undefined, string> {
  const [where = '', size = '4'] = args;
  const address = parseNumber(where) ?? symbols?.address?.(where) ?? null;
  const length = parseNumber(size);
  const isSizeGood = length !== null && length >= 1 && length <= MOST_WRITTEN_BYTES;
  if (address === null || !isSizeGood || args.length > 2) {
    throw new UserError('monitor last-write: give an address or a symbol, and perhaps a size');
  }
  refuseDiversion(timeline);
  const here = timeline.instant;
  const watchpoints = [{ address, length, access: 'write' as const }];
  try {
    const stop = yield* timeline.continue('backward', { breakpoints: new Set(), watchpoints });
    if (stop.kind !== 'watchpoint') {
      return `nothing wrote there before ${formatInstant(here)}`;
    }
    const at = formatInstant(timeline.instant);
    return `${at} wrote it, at ${placeName(symbols, linearPc(timeline.machine))}`;
  } finally {
    timeline.seek(here);
  }
}

/** A decimal or hexadecimal number below 2^32, or null. */
function parseNumber(text: string): number | null {
  if (!/^(?:0x[\da-f]{1,8}|\d{1,10})$/i.test(text)) return null;
  const value = Number(text);
  return value < 2 ** 32 ? value : null;
}
