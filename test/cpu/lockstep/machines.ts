/**
 * Three ways to execute the same program from the same state, one instruction at a time: the emitted
 * handlers (as the product does), numbers, and blocks compiled with constants.
 */
import { Cpu, type CpuOptions } from '../../../src/cpu/cpu.js';
import { type Decoded, decode } from '../../../src/cpu/decoder/decode.js';
import { slowPath } from '../../../src/cpu/engine/slow-path.js';
import { fault } from '../../../src/cpu/fault.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import { architecturalBytes } from '../../../src/cpu/snapshot.js';
import * as L from '../../../src/cpu/state-layout.js';
import { layOut } from '../support/bare-core.js';
import { compileBlock } from './block.js';
import { NumberOps } from './number-ops.js';

export const RAM_BYTES = 0x40000;
export const CODE = 0x20000;
export const DATA = 0x30000;

/** A processor to be used again and again, as its handlers take longer to make than to run. */
export function makeCpu(options: CpuOptions = {}): Cpu {
  return new Cpu(
    RAM_BYTES,
    { read: () => -1, write: () => undefined },
    {
      readPort: () => 0xff,
      writePort: () => undefined,
      acknowledgeInterrupt: () => 0x20,
      readTimestamp: () => 0,
    },
    options,
  );
}

/** Puts a processor back to the start: RAM zero, flat protected mode, EIP at CODE. */
export function restart(cpu: Cpu): void {
  cpu.onDelivery = null;
  cpu.core.physical.ram.fill(0);
  cpu.reset();
  layOut(cpu.core);
  cpu.core.state.eip = CODE;
}

export function decodeAtEip(cpu: Cpu): Decoded {
  const { state, physical } = cpu.core;
  const start = state.eip + state.segmentBase(L.SEG_CS);
  const code = { bytes: physical.ram, start, end: start + 16 };
  const decoded = decode(code, (state.get(L.MODE) & L.MODE_CODE32) !== 0, I386);
  if (decoded === null) throw new Error('code ends in the middle of an instruction');
  return decoded;
}

/** Vector and error code of the fault that an instruction raised, or null. ESP is put back. */
export type Outcome = string | null;

function attempt(cpu: Cpu, run: () => void): Outcome {
  const { state } = cpu.core;
  try {
    run();
    return null;
  } catch (thrown) {
    if (thrown !== fault) throw thrown;
    if (state.get(L.ESP_GUARD)) {
      state.set(L.ESP, state.get(L.SAVED_ESP));
      state.set(L.ESP_GUARD, 0);
    }
    return `${fault.vector}:${fault.errorCode}`;
  }
}

/** Executes the instruction at EIP by numbers. */
export function stepByNumbers(cpu: Cpu, ops: NumberOps): Outcome {
  return attempt(cpu, () => ops.execute(decodeAtEip(cpu)));
}

/** Executes the instruction at EIP, which has a semantics, as a compiled block of one. */
export function stepByBlock(cpu: Cpu): Outcome {
  const { core } = cpu;
  const pages = core.state.memory.buffer.byteLength >> 16;
  const imports = { ...slowPath(core), procedure: () => undefined };
  const block = compileBlock(core, pages, imports, decodeAtEip(cpu));
  return attempt(cpu, block);
}

/** Executes the instruction at EIP as the product does; a fault's delivery is seen, and stopped at. */
export function stepByHandler(cpu: Cpu): Outcome {
  let outcome: Outcome = null;
  const stop = new Error('a fault is about to be delivered');
  cpu.onDelivery = () => {
    outcome = `${fault.vector}:${fault.errorCode}`;
    throw stop;
  };
  try {
    cpu.run(cpu.instant + 1);
  } catch (thrown) {
    if (thrown !== stop) throw thrown;
  }
  return outcome;
}

/** All of a processor's state that an instruction may change, as text to compare. */
export function fingerprint(cpu: Cpu): string {
  const words = new Int32Array(architecturalBytes(cpu.core).buffer);
  const state = Array.from(words.subarray(0, L.SHADOW >> 2), (word) => (word >>> 0).toString(16));
  return `${state.join(' ')} unretired ${cpu.core.state.f64[L.UNRETIRED >> 3]}`;
}
