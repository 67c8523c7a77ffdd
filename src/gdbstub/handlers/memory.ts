/** Reading and writing memory. */
import { latin1, toHex } from '../bytes.js';
import { MOST_READ_BYTES } from '../limits.js';
import type { Handlers } from './handler.js';
import { badAddress, OK, text, UNKNOWN } from './reply.js';

export const MEMORY_HANDLERS: Pick<Handlers, 'read-memory' | 'write-memory'> = {
  /**
   * Answers as much as can be read from the start. gdb reads whole lines of 64 bytes around EIP and
   * ESP, and an error because of the far end of such a line would hide the near one.
   */
  'read-memory': ({ address, length, isBinary }, { target }) => {
    const bytes = target.memory.read(address, Math.min(length, MOST_READ_BYTES));
    if (bytes.length === 0 && length > 0) {
      return badAddress(`nothing can be read at ${address.toString(16)}h`);
    }
    if (!isBinary) return text(toHex(bytes));
    const body = new Uint8Array(bytes.length + 1);
    body.set(latin1('b'));
    body.set(bytes, 1);
    return { kind: 'packet', body };
  },

  'write-memory': ({ address, bytes }, { target: { memory } }) => {
    if (memory.write === undefined) return UNKNOWN;
    // gdb asks with no bytes at all whether we know the packet.
    const refusal = bytes.length === 0 ? null : memory.write(address, bytes);
    return refusal === null ? OK : badAddress(refusal);
  },
};
