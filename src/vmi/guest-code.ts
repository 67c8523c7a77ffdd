/** Reads and decodes the guest's instruction at EIP, as the processor just did. */
import type { Core } from '../cpu/core.js';
import { type Decoded, decode, MAX_INSTRUCTION_BYTES } from '../cpu/decoder/decode.js';
import { opcodeMapOf } from '../cpu/isa/instruction-set.js';
import { codeLinear, isUser } from '../cpu/segmentation.js';
import { MODE, MODE_CODE32 } from '../cpu/state-layout.js';

const bytes = new Uint8Array(MAX_INSTRUCTION_BYTES + 1);

/** An instruction for 32-bit code that the hypervisor itself has put together. */
export function decodeBytes(core: Core, code: readonly number[]): Decoded {
  const source = { bytes: Uint8Array.from(code), start: 0, end: code.length };
  const decoded = decode(source, true, opcodeMapOf(core.model.level));
  if (decoded === null) throw new Error('the instruction is incomplete');
  return decoded;
}

/** The instruction at EIP. @throws fault what its fetch or its length raises. */
export function decodeAtEip(core: Core): Decoded {
  const { state, mmu, physical, model } = core;
  const is32 = (state.get(MODE) & MODE_CODE32) !== 0;
  for (let end = 0; ; ) {
    const linear = codeLinear(core, state.eip + end);
    bytes[end] = physical.read(mmu.translateFetch(linear, isUser(state)), 1);
    end += 1;
    const decoded = decode({ bytes, start: 0, end }, is32, opcodeMapOf(model.level));
    if (decoded !== null) return decoded;
  }
}
