/** The threads on which V8 compiles and collects garbage, beside the one that runs the guest. */
import { readdirSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

const OWN_THREADS = '/proc/self/task';
/** How much nicer they are: not so much that compiling stands still where other processes are busy. */
const NICER_BY = 5;

/**
 * Has the threads that this process has besides its main one give way to it. There are four of them however few
 * processors there are, and on two the guest waited for a twelfth of a Linux boot. Elsewhere than on
 * Linux nothing happens. To be called from the main thread, before it starts threads that are to run guests too.
 */
export function lowerHelperThreads(): void {
  if (process.platform !== 'linux') return;
  const niceness = Math.min(getPriority() + NICER_BY, constants.priority.PRIORITY_LOW);
  for (const name of readdirSync(OWN_THREADS)) {
    const thread = Number(name);
    if (thread === process.pid) continue;
    try {
      // To Linux a thread's priority is its own. setpriority(2), C library/kernel differences.
      setPriority(thread, niceness);
    } catch {
      // The thread has ended, or a sandbox forbids it: then nothing gives way.
    }
  }
}
