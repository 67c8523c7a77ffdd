/**
 * The files that the target has: the program's image, out of the trace, and one of names for a library. Their
 * numbers are always the same, so that nothing is held for a client. GDB manual, "Host I/O Packets", "struct stat".
 */
import { latin1 } from '../bytes.js';
import { MOST_READ_BYTES } from '../limits.js';
import type { TargetImage } from '../target.js';
import { imagePath } from './documents.js';
import type { Handlers, SessionContext } from './handler.js';
import { type Reply, text } from './reply.js';

type FileHandlers = Pick<
  Handlers,
  'select-files' | 'open-file' | 'file-status' | 'read-file' | 'close-file'
>;

const IMAGE_FILE = 3;
const LIBRARY_FILE = 4;
const STAT_BYTES = 64;
const STAT_MODE = 8;
const STAT_LINKS = 12;
const STAT_SIZE = 28;
const STAT_BLOCK_SIZE = 36;
/** A regular file that all may read. */
const MODE = 0o100444;
const BLOCK_BYTES = 4096;

const NO_SUCH_FILE = text('F-1,2');
const BAD_FILE = text('F-1,9');
const DONE = text('F0');

function withFile(file: number, { target }: SessionContext, reply: (image: TargetImage) => Reply) {
  const image =
    file === IMAGE_FILE ? target.image : file === LIBRARY_FILE ? target.library : undefined;
  return image === undefined ? BAD_FILE : reply(image);
}

function isNamed(image: TargetImage | undefined, path: string): boolean {
  return image !== undefined && path === imagePath(image.name);
}

export const FILE_HANDLERS: FileHandlers = {
  'select-files': () => DONE,
  'open-file': ({ name }, { target }) => {
    if (isNamed(target.image, name)) return text(`F${IMAGE_FILE.toString(16)}`);
    return isNamed(target.library, name) ? text(`F${LIBRARY_FILE.toString(16)}`) : NO_SUCH_FILE;
  },
  'file-status': ({ file }, context) =>
    withFile(file, context, ({ bytes }) => {
      const status = new DataView(new ArrayBuffer(STAT_BYTES));
      status.setUint32(STAT_MODE, MODE);
      status.setUint32(STAT_LINKS, 1);
      status.setBigUint64(STAT_SIZE, BigInt(bytes.length));
      status.setBigUint64(STAT_BLOCK_SIZE, BigInt(BLOCK_BYTES));
      return attachment(new Uint8Array(status.buffer));
    }),
  'read-file': ({ file, length, offset }, context) =>
    withFile(file, context, ({ bytes }) =>
      attachment(bytes.subarray(offset, offset + Math.min(length, MOST_READ_BYTES))),
    ),
  'close-file': ({ file }, context) => withFile(file, context, () => DONE),
};

/** `F`, how many bytes, and the bytes. */
function attachment(bytes: Uint8Array): Reply {
  return {
    kind: 'packet',
    body: Buffer.concat([latin1(`F${bytes.length.toString(16)};`), bytes]),
  };
}
