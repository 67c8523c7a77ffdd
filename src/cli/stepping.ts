/** Long work that yields now and then: shows how far it is, and stops when a signal asks for it. */
import { Progress } from './progress.js';
import { StopSignal, turn } from './stop-signal.js';

/** The result; null where a signal came first. @param what counts the yields, as `runs`. */
export async function runToResult<T>(
  work: Generator<undefined, T>,
  what: string,
): Promise<T | null> {
  const stop = new StopSignal();
  const progress = new Progress(process.stderr);
  let steps = 0;
  try {
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (stop.isRaised) break;
      steps += 1;
      progress.show(performance.now(), () => `${steps} ${what}`);
      await turn();
    }
  } finally {
    progress.clear();
    stop.release();
  }
  process.stderr.write(`holdoff: stopped after ${steps} ${what}; nothing is certain yet\n`);
  return null;
}
