/** `holdoff events`: a trace's events, one a line. */
import { once } from 'node:events';
import { STATUS_OK } from './errors.js';
import { type EventRow, eventRows, type PlainRow, rowsAround } from './event-rows.js';
import { renderEvent } from './event-view.js';
import { watchStdout } from './guest-console.js';
import type { ImageFolders } from './image-options.js';
import { openTraceFile } from './trace-file.js';
import { namedImages } from './trace-images.js';
import { traceSymbols } from './trace-symbols.js';

const BATCH_CHARACTERS = 1 << 16;

/** Prints the events; the exit status. */
export async function events(
  path: string,
  options: ImageFolders & {
    readonly around?: number;
    readonly count: number;
    readonly kind?: readonly string[];
    readonly call?: readonly string[];
    readonly json?: true;
  },
): Promise<number> {
  const trace = openTraceFile(path);
  const { machine } = trace.header;
  const symbols = traceSymbols({ machine, images: namedImages(trace, path, options) });
  let rows: Iterable<EventRow> = eventRows(trace.events, symbols);
  if (options.kind !== undefined) rows = rowsOfKinds(rows, new Set(options.kind));
  if (options.call !== undefined) rows = rowsOfCalls(rows, new Set(options.call));
  if (options.around !== undefined) rows = rowsAround(rows, options.around, options.count);
  await print(rows, options.json === true ? (row) => JSON.stringify(row) : renderEvent);
  return STATUS_OK;
}

function* rowsOfKinds(rows: Iterable<EventRow>, kinds: ReadonlySet<string>): Generator<EventRow> {
  for (const row of rows) if (kinds.has(row.kind)) yield row;
}

function* rowsOfCalls(rows: Iterable<EventRow>, names: ReadonlySet<string>): Generator<EventRow> {
  for (const row of rows) if (row.kind === 'shim' && names.has(nameOf(row))) yield row;
}

function nameOf({ name }: PlainRow): string {
  return String(name);
}

/** Prints in batches, and no more than the reader takes. */
async function print(rows: Iterable<EventRow>, render: (row: EventRow) => string): Promise<void> {
  const reader = { isGone: false };
  const gone = new Promise<void>((resolve) => {
    watchStdout(() => {
      reader.isGone = true;
      resolve();
    });
  });
  const send = async (text: string): Promise<void> => {
    if (!process.stdout.write(text)) await Promise.race([once(process.stdout, 'drain'), gone]);
  };
  let batch = '';
  for (const row of rows) {
    batch += `${render(row)}\n`;
    if (batch.length < BATCH_CHARACTERS) continue;
    await send(batch);
    batch = '';
    if (reader.isGone) return;
  }
  await send(batch);
}
