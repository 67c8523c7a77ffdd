/** How many threads a search takes unless the user says otherwise. */
import { availableParallelism } from 'node:os';

/** One a core. */
export function defaultWorkers(): number {
  return availableParallelism();
}
