/** How a stream ended, to be compared with how it ends when it is run in another way. */
import type { Cpu } from '../../src/cpu/cpu.js';
import { RAM_BYTES } from './layout.js';
import { hex } from './step-checker.js';

const SHOWN = 6;

export class Outcome {
  #state: Uint8Array = new Uint8Array(0);
  readonly #ram = new Uint8Array(RAM_BYTES);
  #text = '';

  /** Remembers what a processor has come to. */
  take(cpu: Cpu): void {
    this.#state = cpu.architecturalState();
    this.#ram.set(cpu.core.physical.ram);
    this.#text = counts(cpu);
  }

  /**
   * @param how the processor was run.
   * @returns where another processor differs, or null.
   */
  compare(how: string, cpu: Cpu): string | null {
    const state = cpu.architecturalState();
    const { ram } = cpu.core.physical;
    const text = counts(cpu);
    const isSame = Buffer.compare(state, this.#state) === 0 && Buffer.compare(ram, this.#ram) === 0;
    if (isSame && text === this.#text) return null;
    const differences: string[] = [];
    const [found, expected] = [new DataView(state.buffer), new DataView(this.#state.buffer)];
    for (let at = 0; at < state.length; at += 4) {
      const [x, y] = [found.getUint32(at, true), expected.getUint32(at, true)];
      if (x !== y) differences.push(`state at ${hex(at)}h ${hex(x)}, not ${hex(y)}`);
    }
    const at = ram.findIndex((byte, i) => byte !== this.#ram[i]);
    if (at >= 0)
      differences.push(`memory at ${hex(at)}h ${hex(ram[at])}, not ${hex(this.#ram[at])}`);
    const shown = differences.slice(0, SHOWN).join('; ');
    return `${how}: ${text}, step by step ${this.#text}; ${shown}`;
  }
}

function counts({ instant, retired }: Cpu): string {
  return `@${instant}, ${retired} retired`;
}
