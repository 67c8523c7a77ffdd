/** Names for the hypervisor's code in the guest's address space: `vmi_IRET`, and so on. */
import type { Image } from '../machine/loaders/image.js';
import type { SymbolEntry } from '../machine/symbols.js';
import { VMI_CALLS } from './calls.js';
import { SHARED } from './layout.js';
import { ENTRY_GET_RELOC, ENTRY_INIT, REGION_CALLS, romCall } from './rom/rom-calls.js';
import { parseRom, ROM, ROM_BYTES } from './rom/rom-image.js';
import { buildRegion, type IretScheme } from './stubs.js';

/** Code of the hypervisor's where a guest sees it. Addresses are linear and unsigned. */
export interface NamedCode {
  readonly first: number;
  readonly end: number;
  readonly symbols: readonly SymbolEntry[];
}

/** The region that annotated sites call. */
export function namedRegion(scheme: IretScheme): NamedCode {
  const { boundaries, bytes, stubs } = buildRegion(scheme);
  const starts = VMI_CALLS.flatMap(({ name, patch }): Start[] =>
    patch.kind === 'call' ? [[stubs[patch.stub], name]] : [],
  );
  return named(boundaries[0], boundaries[0] + bytes.length, starts);
}

/**
 * The ROM, as a kernel sees it that maps physical address 0 at `base`.
 * @throws UserError where the ROM is none.
 */
export function namedRom(rom: Image, scheme: IretScheme, base: number): NamedCode {
  const image = parseRom(rom.name, rom.bytes);
  const first = ROM + base;
  const { stubs } = buildRegion(scheme, { region: first + image.region, words: SHARED + base });
  const inRegion = [...REGION_CALLS].map(([number, stub]): Start => [stubs[stub], nameOf(number)]);
  const others = [...image.calls].map(([at, number]): Start => [first + at, nameOf(number)]);
  const entries = [ENTRY_INIT, ENTRY_GET_RELOC].map((at): Start => [first + at, nameOf(at)]);
  return named(first, first + ROM_BYTES, [...entries, ...others, ...inRegion]);
}

/** An address, and the call that it belongs to. */
type Start = readonly [number, string];

function nameOf(number: number): string {
  return romCall(number)?.name ?? `call${number}`;
}

/** Each reaches to the next one. */
function named(first: number, end: number, starts: readonly Start[]): NamedCode {
  const order = [...starts].sort((a, b) => a[0] - b[0]);
  const symbols = order.map(([address, name], at) => ({
    name: () => `vmi_${name}`,
    address,
    end: order.at(at + 1)?.[0] ?? end,
    rank: 0,
  }));
  return { first, end, symbols };
}
