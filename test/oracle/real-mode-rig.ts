/**
 * Runs real-mode cases on a processor of ours: RAM to 1 MiB + 64 KiB, as with A20 on, one instruction
 * and the HLT behind it, or the HLT that an exception's handler is.
 */
import { Cpu } from '../../src/cpu/cpu.js';
import { readEflags, writeEflags } from '../../src/cpu/eflags.js';
import { setRealSegment } from '../../src/cpu/segmentation.js';
import type { State } from '../../src/cpu/state.js';
import * as L from '../../src/cpu/state-layout.js';
import type { Verdict } from './case.js';
import { REAL_MODE_DIFFERENCES, type RealModeDifference } from './differences.js';
import {
  type FlagMasks,
  REAL_REGISTERS,
  type RealModeCase,
  type RealRegister,
} from './real-mode-case.js';

const RAM_BYTES = 0x110000;
/** More than a REP of 65,535 iterations. */
const STEP_LIMIT = 100_000;
/** IOPL, NT and bit 15: zero in real mode on a 286, not on a 386. */
const FLAGS_286_ZERO = 0xf000;

const SEGMENTS = new Map<RealRegister, 0 | 1 | 2 | 3>([
  ['es', L.SEG_ES],
  ['cs', L.SEG_CS],
  ['ss', L.SEG_SS],
  ['ds', L.SEG_DS],
]);
const GENERAL = new Map<RealRegister, number>([
  ['ax', 0],
  ['cx', 1],
  ['dx', 2],
  ['bx', 3],
  ['sp', 4],
  ['bp', 5],
  ['si', 6],
  ['di', 7],
]);

/** A register as the case names it, 16 bits. */
function registerValue(state: State, name: RealRegister): number {
  const segment = SEGMENTS.get(name);
  if (segment !== undefined) return state.selector(segment);
  const general = GENERAL.get(name);
  if (general !== undefined) return state.reg16(general);
  return (name === 'ip' ? state.eip : readEflags(state)) & 0xffff;
}

function hex(value: number): string {
  return value.toString(16);
}

export class RealModeRig {
  readonly #cpu: Cpu;
  readonly #ram: Uint8Array;
  readonly #blank = new Uint8Array(RAM_BYTES);
  readonly #masks: FlagMasks;
  /** The first exception that the case in hand took, with the EIP that it was taken at. */
  #exception: { readonly vector: number; readonly eip: number } | null = null;

  constructor(masks: FlagMasks) {
    this.#masks = masks;
    this.#cpu = new Cpu(
      RAM_BYTES,
      { read: () => -1, write: () => undefined },
      {
        readPort: (_port, size) => (size === 1 ? 0xff : 0xffff),
        writePort: () => undefined,
        acknowledgeInterrupt: () => 0,
        readTimestamp: () => 0,
      },
    );
    this.#ram = this.#cpu.core.physical.ram;
    this.#cpu.onDelivery = (vector, _kind, eip) => {
      this.#exception ??= { vector, eip };
    };
  }

  /**
   * Null where everything that is defined came out as on the processor; a difference that a 386 is
   * meant to have, where the case has that and no other.
   */
  check(test: RealModeCase): Verdict | RealModeDifference {
    this.#prepare(test);
    const exit = this.#cpu.run(STEP_LIMIT);
    const verdict = exit === 'halted' ? this.#differences(test, []) : this.#wrongEnd(exit);
    if (verdict === null) return null;
    return REAL_MODE_DIFFERENCES.find((row) => this.#isMeant(row, test)) ?? verdict;
  }

  #wrongEnd(exit: string): string {
    const { state } = this.#cpu.core;
    return `ends by ${exit} at ${hex(state.selector(L.SEG_CS))}:${hex(state.eip >>> 0)}`;
  }

  #isMeant(row: RealModeDifference, test: RealModeCase): boolean {
    if (!row.appliesTo(test)) return false;
    // One that was taken elsewhere is not the instruction's own.
    const isOwn = this.#exception?.eip === test.init.ip;
    if (row.vector !== (isOwn ? this.#exception?.vector : null)) return false;
    return row.registers === null || this.#differences(test, row.registers) === null;
  }

  #prepare(test: RealModeCase): void {
    const { core } = this.#cpu;
    this.#cpu.reset();
    this.#exception = null;
    core.physical.load(0, this.#blank);
    for (const [address, byte] of test.ram) core.physical.load(address, Uint8Array.of(byte));
    for (const [name, segment] of SEGMENTS) setRealSegment(core, segment, test.init[name]);
    for (const [name, index] of GENERAL) core.state.setReg16(index, test.init[name]);
    writeEflags(core.state, test.init.flags & ~FLAGS_286_ZERO, -1);
    core.state.eip = test.init.ip;
  }

  #differences(test: RealModeCase, ignored: readonly RealRegister[]): Verdict {
    const { state } = this.#cpu.core;
    const found: string[] = [];
    const mask = this.#masks(test.op) & ~FLAGS_286_ZERO;
    for (const name of REAL_REGISTERS) {
      if (ignored.includes(name)) continue;
      const want = test.final[name] ?? test.init[name];
      const got = registerValue(state, name);
      const compared = name === 'flags' ? mask : -1;
      if ((want ^ got) & compared) {
        found.push(`${name} ${hex(want)}, got ${hex(got)} under ${hex(compared >>> 0)}`);
      }
    }
    this.#compareMemory(test, mask, found);
    return found.length === 0 ? null : found.join('; ');
  }

  /** All of RAM; of pushed FLAGS only what the mask leaves. */
  #compareMemory(test: RealModeCase, mask: number, found: string[]): void {
    const want = new Uint8Array(RAM_BYTES);
    for (const [address, byte] of [...test.ram, ...test.fram]) want[address] = byte;
    if (Buffer.compare(want, this.#ram) === 0) return;
    const flagsAt = this.#pushedFlags(test);
    for (let at = 0; at < RAM_BYTES; at++) {
      let compared = 0xff;
      if (at === flagsAt) compared = mask & 0xff;
      else if (at === flagsAt + 1) compared = mask >> 8;
      if ((want[at] ^ this.#ram[at]) & compared) {
        found.push(`byte at ${hex(at)} ${hex(want[at])}, got ${hex(this.#ram[at])}`);
      }
    }
  }

  /**
   * Physical address of FLAGS on the stack, or NaN. (The address that a case gives for an exception is
   * one less where SP is odd; the bytes that changed say otherwise.)
   */
  #pushedFlags(test: RealModeCase): number {
    const isPushed = test.exc !== undefined || test.op === '9C';
    return isPushed ? test.init.ss * 16 + ((test.init.sp - 2) & 0xffff) : Number.NaN;
  }
}
