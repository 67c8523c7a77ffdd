/** Opening, describing and closing a session. */
import { announcedFeatures } from '../commands/table.js';
import { PACKET_BYTES } from '../limits.js';
import { stopReply } from '../stop-reply.js';
import type { Handlers } from './handler.js';
import { OK, SILENCE, text, UNKNOWN } from './reply.js';

type SessionHandlers = Pick<
  Handlers,
  | 'supported'
  | 'must-reply-empty'
  | 'start-no-ack'
  | 'trace-status'
  | 'offsets'
  | 'symbol-lookup'
  | 'attached'
  | 'stop-reason'
  | 'detach'
  | 'kill'
  | 'extended'
  | 'run'
  | 'restart'
>;

export const SESSION_HANDLERS: SessionHandlers = {
  supported: ({ features }, { target, clientFeatures }) => {
    clientFeatures.clear();
    for (const feature of features) clientFeatures.add(feature);
    const packetSize = `PacketSize=${PACKET_BYTES.toString(16)}`;
    return text([packetSize, ...announcedFeatures(target)].join(';'));
  },

  'must-reply-empty': () => UNKNOWN,
  'start-no-ack': () => ({ kind: 'no-ack' }),

  // Empty, not T0: that would have gdb ask more about tracepoints.
  'trace-status': () => UNKNOWN,
  // Symbols are where the image says.
  offsets: () => UNKNOWN,
  'symbol-lookup': () => OK,
  // We were there before gdb was; so it detaches on quit, and does not kill.
  attached: () => text('1'),
  'stop-reason': (_command, { target, stopPoints }) =>
    text(stopReply(target, { kind: 'step' }, stopPoints)),

  // A client in extended mode stays, with nothing to debug until it runs something.
  detach: (_command, { target, settings }) => {
    if (!settings.isExtended) return { kind: 'end', how: 'detached', hasReply: true };
    target.release?.();
    return OK;
  },
  kill: ({ wantsReply }, { target, settings, stopPoints }) => {
    target.restart?.();
    if (!settings.isExtended) return { kind: 'end', how: 'killed', hasReply: wantsReply };
    stopPoints.clear();
    return wantsReply ? OK : SILENCE;
  },

  extended: (_command, { settings }) => {
    settings.isExtended = true;
    return OK;
  },
  run: (_command, { target, stopPoints }) => {
    stopPoints.clear();
    target.restart?.();
    return text(stopReply(target, { kind: 'step' }, stopPoints));
  },
  restart: (_command, { target }) => {
    target.restart?.();
    return SILENCE;
  },
};
