/** What a second gdb hears: why it is not served, in the words in which gdb passes it on to its user. */
import type { Socket } from 'node:net';
import { PACKET_BYTES } from '../gdbstub/limits.js';
import { PacketDecoder } from '../gdbstub/packet-decoder.js';
import { ACKNOWLEDGEMENT, encodePacket } from '../gdbstub/packet-encoder.js';

const REASON = 'another gdb is connected, and holdoff serves one at a time; detach that one first';
/** A client that says nothing, or does not go, is put out after so long. */
const PATIENCE_MILLISECONDS = 2000;

/**
 * Answers the client's first packet, which gdb sends at once, with an error, and ends the connection. gdb
 * shows an error to its first packet as a warning, whatever its version; before that it takes no text.
 */
export function refuseClient(socket: Socket): void {
  const decoder = new PacketDecoder(PACKET_BYTES);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MILLISECONDS);
  socket.on('close', () => clearTimeout(timer));
  socket.on('data', (bytes) => {
    for (const byte of bytes) {
      if (decoder.push(byte)?.kind !== 'packet') continue;
      socket.removeAllListeners('data');
      // Closing with bytes unread would be a reset, which can overtake the answer.
      socket.resume();
      socket.write(ACKNOWLEDGEMENT);
      socket.end(encodePacket(Buffer.from(`E.${REASON}`, 'latin1')));
      return;
    }
  });
}
