/**
 * A whole processor that runs a few bytes of code at CODE, with every vector's handler in place, and
 * keeps a list of what was delivered.
 */
import type { CpuBus } from '../../../src/cpu/bus.js';
import { Cpu, type CpuOptions } from '../../../src/cpu/cpu.js';
import { EFLAGS_IF, EFLAGS_TF, writeEflags } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import { IDT, KERNEL_CODE, layOut } from './bare-core.js';

export const CODE = 0x20000;
/** Handler of vector n: at HANDLERS + n, an IRET. */
export const HANDLERS = 0x30000;
export const IRQ_VECTOR = 0x20;

export interface Delivery {
  readonly vector: number;
  /** The EIP that was interrupted. */
  readonly eip: number;
  readonly cpl: number;
  readonly at: number;
}

/** INTA lowers the line, as a controller with one edge-triggered source does. */
class OneSource implements CpuBus {
  lower: () => void = () => undefined;

  readPort(): number {
    return 0xff;
  }
  writePort(): void {}
  acknowledgeInterrupt(): number {
    this.lower();
    return IRQ_VECTOR;
  }
  readTimestamp(): number {
    return 0;
  }
}

export class Program {
  readonly cpu: Cpu;
  readonly deliveries: Delivery[] = [];

  /**
   * @param code bytes at CODE, where EIP is; INT3s follow.
   * @param flags bits of EFLAGS to start with.
   */
  constructor(code: readonly number[], flags = 0, options: CpuOptions = {}) {
    const bus = new OneSource();
    this.cpu = new Cpu(0x100000, { read: () => -1, write: () => undefined }, bus, options);
    bus.lower = () => this.cpu.setInterruptLine(false);
    const { core } = this.cpu;
    layOut(core);
    const { ram } = core.physical;
    ram.fill(0xcc, CODE, CODE + 0x1000);
    ram.set(code, CODE);
    ram.fill(0xcf, HANDLERS, HANDLERS + 0x100);
    for (let vector = 0; vector < 256; vector++) this.gate(vector, 0x8e);
    writeEflags(core.state, flags, EFLAGS_IF | EFLAGS_TF);
    core.state.eip = CODE;
    this.cpu.onDelivery = (vector, _kind, eip, cpl) => {
      this.deliveries.push({ vector, eip, cpl, at: this.cpu.instant });
    };
  }

  /** Sets the access byte of a vector's gate: 8Eh interrupt gate, 8Fh trap gate. */
  gate(vector: number, access: number): void {
    const handler = HANDLERS + vector;
    const view = new DataView(this.cpu.core.physical.ram.buffer, L.RAM_BASE);
    view.setUint32(IDT + vector * 8, (KERNEL_CODE << 16) | (handler & 0xffff), true);
    view.setUint32(IDT + vector * 8 + 4, (handler & 0xffff0000) | (access << 8), true);
  }

  raiseIrq(): void {
    this.cpu.setInterruptLine(true);
  }

  /** Takes steps, fewer where the processor halts. */
  step(count: number): void {
    this.cpu.run(this.cpu.instant + count);
  }

  /** `vector@offset from CODE`, one word for each delivery so far. */
  get story(): string {
    return this.deliveries.map(({ vector, eip }) => `${vector}@${eip - CODE}`).join(' ');
  }
}
