/** Inserting and removing breakpoints and watchpoints. */
import { requestedWatchpoint } from '../stop-points.js';
import type { Handlers } from './handler.js';
import { invalid, OK } from './reply.js';

export const STOP_POINT_HANDLERS: Pick<Handlers, 'insert-stop-point' | 'remove-stop-point'> = {
  'insert-stop-point': (place, { target, stopPoints }) => {
    const watchpoint = requestedWatchpoint(place);
    const isAccepted =
      watchpoint === null
        ? target.breakpoints?.accepts(place.address)
        : target.watchpoints?.accepts(watchpoint);
    if (isAccepted !== true) return invalid('the target cannot stop there');
    return stopPoints.insert(place) ? OK : invalid('too many breakpoints or watchpoints');
  },

  'remove-stop-point': (place, { stopPoints }) => {
    stopPoints.remove(place);
    return OK;
  },
};
