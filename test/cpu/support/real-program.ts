/**
 * A whole processor in real mode that runs a few bytes of code at 1000:0100, with a HLT behind them and
 * a HLT as the handler of every vector.
 *
 * Physical memory: the vector table at 0, handlers at 0800:0000 + vector, code at 10100h, DS and ES at
 * 30000h, the stack at 2000:1000.
 */
import { Cpu, type CpuOptions } from '../../../src/cpu/cpu.js';
import { EFLAGS_RESERVED1, readEflags, writeEflags } from '../../../src/cpu/eflags.js';
import { setRealSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';

export const CODE_SELECTOR = 0x1000;
export const CODE_OFFSET = 0x100;
export const CODE = 0x10100;
export const STACK_SELECTOR = 0x2000;
export const STACK = 0x21000;
export const DATA_SELECTOR = 0x3000;
export const DATA = 0x30000;
export const HANDLER_SELECTOR = 0x800;
const RAM_BYTES = 0x200000;
const HLT = 0xf4;
const MOST_STEPS = 1000;

export class RealProgram {
  readonly cpu: Cpu;
  /** Vectors of what was delivered, without INT n, INT3 and INTO. */
  readonly vectors: number[] = [];

  constructor(code: readonly number[], flags = 0, options: CpuOptions = {}) {
    this.cpu = new Cpu(
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
    const { core } = this.cpu;
    const { ram } = core.physical;
    for (let vector = 0; vector < 256; vector++) {
      this.poke16(vector * 4, vector);
      this.poke16(vector * 4 + 2, HANDLER_SELECTOR);
    }
    ram.fill(HLT, HANDLER_SELECTOR << 4, (HANDLER_SELECTOR << 4) + 256);
    ram.fill(HLT, CODE, CODE + 0x100);
    ram.set(code, CODE);
    setRealSegment(core, L.SEG_CS, CODE_SELECTOR);
    setRealSegment(core, L.SEG_SS, STACK_SELECTOR);
    setRealSegment(core, L.SEG_DS, DATA_SELECTOR);
    setRealSegment(core, L.SEG_ES, DATA_SELECTOR);
    core.state.esp = 0x1000;
    core.state.eip = CODE_OFFSET;
    writeEflags(core.state, flags | EFLAGS_RESERVED1, -1);
    this.cpu.onDelivery = (vector) => this.vectors.push(vector);
  }

  /** Runs to a HLT, or to what else ends it. */
  run(): string {
    return this.cpu.run(this.cpu.instant + MOST_STEPS);
  }

  step(count = 1): void {
    this.cpu.run(this.cpu.instant + count);
  }

  /** A general register, all 32 bits, unsigned. */
  register(index: number): number {
    return this.cpu.core.state.reg32(index) >>> 0;
  }

  /** CS:IP as hexadecimal text. */
  get place(): string {
    const { state } = this.cpu.core;
    return `${state.selector(L.SEG_CS).toString(16)}:${(state.eip >>> 0).toString(16)}`;
  }

  get eflags(): number {
    return readEflags(this.cpu.core.state);
  }

  /** The words from the top of the stack. */
  stack(count: number): number[] {
    const { state } = this.cpu.core;
    const top = state.segmentBase(L.SEG_SS) + (state.esp & 0xffff);
    return Array.from({ length: count }, (_, i) => this.peek16(top + 2 * i));
  }

  peek16(physical: number): number {
    return this.cpu.core.physical.read(physical, 2);
  }
  poke16(physical: number, value: number): void {
    this.cpu.core.physical.write(physical, 2, value);
  }
}
