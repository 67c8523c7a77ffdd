/** Reading and writing registers. */
import { toHex } from '../bytes.js';
import { type RegisterLayout, registerBytes } from '../register-layout.js';
import type { RegisterAccess } from '../target.js';
import type { Handlers } from './handler.js';
import { invalid, OK, type Reply, text, UNKNOWN } from './reply.js';

type RegisterHandlers = Pick<
  Handlers,
  'read-registers' | 'write-registers' | 'read-register' | 'write-register'
>;

export const REGISTER_HANDLERS: RegisterHandlers = {
  'read-registers': (_command, { target: { registers } }) =>
    text(registers.layout.registers.map((_, index) => toHex(registers.read(index))).join('')),

  'write-registers': ({ bytes }, { target: { registers } }) => writeAll(registers, bytes),

  'read-register': ({ index }, { target: { registers } }) =>
    index < registers.layout.registers.length
      ? text(toHex(registers.read(index)))
      : invalid(`there is no register ${index}`),

  'write-register': ({ index, bytes }, { target: { registers } }) => {
    if (registers.write === undefined) return UNKNOWN;
    const register = registers.layout.registers.at(index);
    if (register === undefined) return invalid(`there is no register ${index}`);
    if (bytes.length !== registerBytes(register)) {
      return invalid(`${register.name} has ${registerBytes(register)} bytes, not ${bytes.length}`);
    }
    return outcome(registers.write(index, bytes));
  },
};

/** Only registers that change are written: most of a `G` packet is what we sent before. */
function writeAll(registers: RegisterAccess, bytes: Uint8Array): Reply {
  if (registers.write === undefined) return UNKNOWN;
  if (bytes.length !== totalBytes(registers.layout)) return invalid('not a whole register file');
  let offset = 0;
  for (const [index, register] of registers.layout.registers.entries()) {
    const value = bytes.slice(offset, offset + registerBytes(register));
    offset += value.length;
    if (toHex(value) === toHex(registers.read(index))) continue;
    const refusal = registers.write(index, value);
    if (refusal !== null) return invalid(refusal);
  }
  return OK;
}

function totalBytes(layout: RegisterLayout): number {
  return layout.registers.reduce((sum, register) => sum + registerBytes(register), 0);
}

function outcome(refusal: string | null): Reply {
  return refusal === null ? OK : invalid(refusal);
}
