/** A processor's state as named words, for people to compare. */
import * as L from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';

/** Those that are always shown. */
const REGISTERS: readonly (readonly [name: string, offset: number])[] = [
  ['EAX', L.EAX],
  ['ECX', L.ECX],
  ['EDX', L.EDX],
  ['EBX', L.EBX],
  ['ESP', L.ESP],
  ['EBP', L.EBP],
  ['ESI', L.ESI],
  ['EDI', L.EDI],
  ['EIP', L.EIP],
  ['EFLAGS', L.FLAG_SYSTEM],
];
/** Names of others, shown where they differ; those without one go by their offset. */
const NAMES: ReadonlyMap<number, string> = new Map([
  ...REGISTERS.map(([name, offset]) => [offset, name] as const),
  [L.SHADOW, 'shadow'],
  [L.NMI_BLOCKED, 'NMI blocked'],
  [L.HALTED, 'halted'],
  [L.PENDING_DEBUG, 'pending #DB'],
  [L.CPL, 'CPL'],
  [L.INTR, 'INTR'],
  [L.CR0, 'CR0'],
  [L.CR2, 'CR2'],
  [L.CR3, 'CR3'],
  [L.CR4, 'CR4'],
]);

/** The words of one machine's processor at present. */
export class StateWords {
  readonly #words: Int32Array;

  constructor(machine: Machine) {
    this.#words = new Int32Array(machine.cpu.architecturalState().buffer);
  }

  /**
   * A line for each register, and for each other word that differs, with both values.
   * @param names the two processors'.
   */
  compare(other: StateWords, names: readonly [string, string]): string[] {
    const shown = new Set(REGISTERS.map(([, offset]) => offset));
    this.#words.forEach((word, index) => {
      if (word !== other.#words[index]) shown.add(index * 4);
    });
    return [...shown].map((offset) => {
      const name = (NAMES.get(offset) ?? `state word 0x${offset.toString(16)}`).padEnd(8);
      const [a, b] = [this.#words[offset >> 2], other.#words[offset >> 2]].map((word) =>
        (word >>> 0).toString(16).padStart(8, '0'),
      );
      return a === b ? `${name} ${a}` : `${name} ${names[0]} ${a}, ${names[1]} ${b}`;
    });
  }
}
