/** `holdoff info`: what a trace holds, without running it. */
import { formatInstant } from '../replay/instant.js';
import { describeOutcome } from '../replay/outcome.js';
import { summarise, type TraceSummary } from '../replay/summary.js';
import type { Trace } from '../replay/trace-format.js';
import type { ImageEntry, TraceHeader } from '../replay/trace-header.js';
import { callName } from '../vmi/call-names.js';
import { oneLine, STATUS_OK } from './errors.js';
import { groupDigits, plural, sizeText } from './numbers.js';
import { openTraceFile } from './trace-file.js';

/** Prints the trace's summary; the exit status. */
export function info(path: string, options: { readonly json?: true }): number {
  const trace = openTraceFile(path);
  const summary = summarise(trace);
  const calls = countCalls(trace);
  const text = options.json
    ? `${JSON.stringify(infoJson(summary, trace.header, calls), null, 2)}\n`
    : infoText(path, summary, trace.header, calls);
  process.stdout.write(text);
  return STATUS_OK;
}

/** How often each call of the hypervisor is in the trace, by name. */
function countCalls(trace: Trace): CallCounts {
  const counts: Record<string, number> = {};
  if (trace.counts.shim === 0) return counts;
  for (const event of trace.events) {
    if (event.kind !== 'shim') continue;
    const name = callName(event.call);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

type CallCounts = Readonly<Record<string, number>>;

function infoJson(summary: TraceSummary, header: TraceHeader, calls: CallCounts): object {
  return {
    version: summary.formatVersion,
    recorder: summary.holdoffVersion,
    machine: header.machine,
    images: header.images.map(({ name, role, byteLength, outside }) => ({
      name,
      role,
      bytes: byteLength,
      ...(outside === undefined ? {} : { outside }),
    })),
    from: summary.from,
    instants: summary.instants,
    checkpoints: summary.checkpoints,
    events: summary.events,
    calls,
    bytes: summary.bytes,
    digest: summary.digest,
    outcome: summary.outcome,
  };
}

function imageText({ name, byteLength, outside }: ImageEntry): string {
  const what = `${name}: ${groupDigits(byteLength)} bytes`;
  if (outside === undefined) return what;
  return `${what}, outside: ${outside.path}, SHA-256 ${outside.sha256}`;
}

function infoText(
  path: string,
  summary: TraceSummary,
  header: TraceHeader,
  calls: CallCounts,
): string {
  const { machine } = header;
  const seed = machine.clock === 'random' ? `, seed ${machine.seed}` : '';
  const cpu = `${machine.cpu === undefined ? '' : `, a ${machine.cpu}`}${machine.apic ? ', local APIC' : ''}`;
  const events = Object.entries(summary.events)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${kind} ${groupDigits(count)}`);
  const vmi = machine.vmi === undefined ? '' : `, VMI ${machine.vmi} (${machine.vmiIret ?? ''})`;
  const callTexts = Object.entries(calls).map(([name, count]) => `${name} ${groupDigits(count)}`);
  const kept = summary.checkpoints === 0 ? '' : `, ${plural(summary.checkpoints, 'checkpoint')}`;
  const rows: (readonly [string, string])[] = [
    [
      'trace',
      `${path}: ${groupDigits(summary.bytes)} bytes, format ${summary.formatVersion}, by holdoff ${summary.holdoffVersion}`,
    ],
    ['machine', `${sizeText(machine.memoryBytes)}${cpu}, ${machine.clock} clock${seed}${vmi}`],
    ...header.images.map((image) => [image.role, imageText(image)] as const),
    ...(machine.cmdline === null ? [] : [['cmdline', machine.cmdline] as const]),
    ['instants', `${formatInstant(summary.from)} to ${formatInstant(summary.instants)}${kept}`],
    ['events', events.length === 0 ? 'none' : events.join(', ')],
    ...(callTexts.length === 0 ? [] : [['calls', callTexts.join(', ')] as const]),
    ['outcome', describeOutcome(summary.outcome)],
    ['digest', summary.digest ?? 'none'],
  ];
  return rows.map(([name, value]) => `${name.padEnd(8)}  ${oneLine(value)}\n`).join('');
}
