/**
 * From a packet's body to the bytes on the wire. GDB manual, "Overview" of the remote protocol.
 */
import { hexByte, latin1 } from './bytes.js';

/** "Got it": sent for each packet until QStartNoAckMode. */
export const ACKNOWLEDGEMENT: Uint8Array = latin1('+');
/** "Send that again". */
export const REJECTION: Uint8Array = latin1('-');

const ESCAPE = 0x7d;
const ESCAPE_XOR = 0x20;

/** `$`, `#` and `}` frame packets, and `*` would start a run length in a reply. */
function mustEscape(byte: number): boolean {
  return byte === 0x23 || byte === 0x24 || byte === 0x2a || byte === ESCAPE;
}

/** Frames a body: `$`, the body with escapes, `#`, two digits of checksum. */
export function encodePacket(body: Uint8Array): Uint8Array {
  let escapes = 0;
  for (const byte of body) if (mustEscape(byte)) escapes += 1;
  const packet = new Uint8Array(body.length + escapes + 4);
  let at = 0;
  packet[at++] = 0x24;
  let sum = 0;
  for (const byte of body) {
    if (mustEscape(byte)) {
      packet[at++] = ESCAPE;
      packet[at++] = byte ^ ESCAPE_XOR;
      sum += ESCAPE + (byte ^ ESCAPE_XOR);
    } else {
      packet[at++] = byte;
      sum += byte;
    }
  }
  packet[at++] = 0x23;
  packet.set(latin1(hexByte(sum & 0xff)), at);
  return packet;
}
