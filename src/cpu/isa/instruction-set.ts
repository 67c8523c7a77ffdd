/** The i386's opcode map, one- and two-byte opcodes together. */
import { ud } from '../system/undocumented.js';
import { ONE_BYTE } from './one-byte.js';
import { makeOpcodeMap, rare } from './opcode-map.js';
import { TWO_BYTE } from './two-byte.js';

export const I386 = makeOpcodeMap([...ONE_BYTE, ...TWO_BYTE], rare('(undefined)', '', ud));
