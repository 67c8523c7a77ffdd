/** Opening, describing and closing a session. */
import { latin1 } from '../bytes.js';
import { announcedFeatures } from '../commands/table.js';
import { MOST_READ_BYTES, PACKET_BYTES } from '../limits.js';
import { describeTarget } from '../register-layout.js';
import { stopReply } from '../stop-reply.js';
import type { Handlers } from './handler.js';
import { invalid, OK, type Reply, text, UNKNOWN } from './reply.js';

type SessionHandlers = Pick<
  Handlers,
  | 'supported'
  | 'must-reply-empty'
  | 'start-no-ack'
  | 'read-features'
  | 'trace-status'
  | 'offsets'
  | 'symbol-lookup'
  | 'attached'
  | 'stop-reason'
  | 'detach'
  | 'kill'
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

  'read-features': ({ annex, offset, length }, { target }) =>
    annex === 'target.xml'
      ? window(latin1(describeTarget(target.registers.layout)), offset, length)
      : invalid(`there is no description ${annex}`),

  // Empty, not T0: that would have gdb ask more about tracepoints.
  'trace-status': () => UNKNOWN,
  // Symbols are where the image says.
  offsets: () => UNKNOWN,
  'symbol-lookup': () => OK,
  // We were there before gdb was; so it detaches on quit, and does not kill.
  attached: () => text('1'),
  'stop-reason': (_command, { target, stopPoints }) =>
    text(stopReply(target, { kind: 'step' }, stopPoints)),

  detach: () => ({ kind: 'end', how: 'detached', hasReply: true }),
  kill: ({ wantsReply }, { target }) => {
    target.restart?.();
    return { kind: 'end', how: 'killed', hasReply: wantsReply };
  },
};

/** A piece of a document: `m` and the piece, or `l` and the last one. */
function window(document: Uint8Array, offset: number, length: number): Reply {
  const end = Math.min(document.length, offset + Math.min(length, MOST_READ_BYTES));
  const piece = document.subarray(offset, end);
  const body = new Uint8Array(piece.length + 1);
  body.set(latin1(end < document.length ? 'm' : 'l'));
  body.set(piece, 1);
  return { kind: 'packet', body };
}
