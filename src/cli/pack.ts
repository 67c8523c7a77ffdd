/** `holdoff pack`: a trace with all of its images inside, which is good anywhere. */

import { UserError } from '../machine/user-error.js';
import { describeDamage } from '../replay/trace-damage.js';
import { type Trace, TraceWriter } from '../replay/trace-format.js';
import { STATUS_OK } from './errors.js';
import type { ImageFolders } from './image-options.js';
import { plural } from './numbers.js';
import { OutputFile, openTraceFile } from './trace-file.js';
import { startFromTrace, withImagesInside } from './trace-images.js';

/** Packs the trace; the exit status. */
export function pack(path: string, options: ImageFolders & { readonly output?: string }): number {
  const trace = openTraceFile(path);
  const start = withImagesInside(startFromTrace(trace, path, options));
  const { output } = options;
  // Another name, not the trace's own: it is still to be read.
  const file = output === undefined ? OutputFile.createFor(path) : OutputFile.createNew(output);
  try {
    copy(trace, path, new TraceWriter((bytes) => file.write(bytes), start));
  } finally {
    file.close();
  }
  process.stderr.write(`holdoff: wrote ${file.path}: ${plural(file.bytes, 'byte')}\n`);
  return STATUS_OK;
}

/** All that is behind the images, in its order. */
function copy(trace: Trace, path: string, writer: TraceWriter): void {
  let place = 0;
  let count = 0;
  const checkpointsHere = (): void => {
    for (; trace.checkpoints.at(place)?.events === count; place++) {
      const checkpoint = trace.checkpoint(place);
      if (checkpoint.isWhole) writer.checkpoint(checkpoint.value);
      else throw new UserError(`${path} is damaged: ${describeDamage(checkpoint.damage)}`);
    }
  };
  for (const event of trace.events) {
    checkpointsHere();
    writer.event(event);
    count += 1;
  }
  checkpointsHere();
  if (trace.end === null) writer.flush(trace.lastInstant);
}
