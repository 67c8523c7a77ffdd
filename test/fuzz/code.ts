/** Random instructions: any opcode with any prefixes, addresses and immediates that often hit something. */

import { I386 } from '../../src/cpu/isa/instruction-set.js';
import type { Choices } from './choices.js';
import {
  CODE,
  CODE_END,
  CODE_SELECTOR,
  DATA,
  GDT_ENTRIES,
  LDT_ENTRIES,
  RAM_BYTES,
  STACKS,
  TSS_16_SELECTOR,
  TSS_32_SELECTOR,
} from './layout.js';

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
/** What changes modes, privileges, segments and stacks, or repeats. */
const EVENTFUL = [
  ...[0x07, 0x17, 0x1f, 0x60, 0x61, 0x62, 0x63, 0x6c, 0x6d, 0x6e, 0x6f, 0x8c, 0x8e, 0x8f],
  ...[0x9a, 0x9c, 0x9d, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf],
  ...[
    0xc4, 0xc5, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xcf, 0xea, 0xf1, 0xfa, 0xfb, 0xff,
  ],
];
const EVENTFUL_0F = [
  ...[0x00, 0x00, 0x01, 0x01, 0x02, 0x03, 0x06, 0x20, 0x21, 0x22, 0x22, 0x23, 0x30, 0x31, 0x32],
  ...[
    0x34, 0x35, 0xa0, 0xa1, 0xa2, 0xa3, 0xa8, 0xa9, 0xab, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xbb, 0xc7,
  ],
];
/** JMP and CALL with the pointer behind the opcode, and what their selectors may well name. */
const FAR_POINTERS = [0x9a, 0xea];
const TARGETS = [TSS_32_SELECTOR, TSS_16_SELECTOR, ...CODE_SELECTOR, 0x68, 0x70, 0x78, 0x80];
/** MSRs, CR0, and signs. */
const NUMBERS = [
  ...[0x10, 0x1b, 0x174, 0x175, 0x176, 0x17],
  ...[-1, 0x80000000 | 0, 0x7fffffff, 0x80000011 | 0, 0x11, 0x10],
];
/** Around pages, segments, and the ends of memory. */
const EDGES = [0, 1, 0xfff, 0xffd, 0xfffe, 0xffff, 0x10000, -1, -2, -4, 0x7fff, 0x80000000 | 0];

/** An offset or address. */
export function anyAddress(choices: Choices): number {
  switch (choices.below(8)) {
    case 0:
      return choices.word();
    case 1:
      return choices.pick(EDGES);
    case 2:
      return STACKS + choices.below(0x1000);
    case 3:
      return (DATA + choices.below(6) * 0x1000 - choices.below(5)) | 0;
    case 4:
      return choices.below(64);
    default:
      return choices.below(RAM_BYTES);
  }
}

/** A selector, of whatever descriptor and privilege. */
export function anySelector(choices: Choices): number {
  if (choices.oneIn(12)) return choices.word() & 0xffff;
  const isLocal = choices.oneIn(4);
  const entries = isLocal ? LDT_ENTRIES : GDT_ENTRIES;
  const index = choices.oneIn(2) ? choices.below(16) : choices.below(entries + 1);
  return (index << 3) | (isLocal ? 4 : 0) | choices.below(4);
}

/** A value for a register: a number, an address, a selector, a port, an MSR. */
export function anyValue(choices: Choices): number {
  switch (choices.below(8)) {
    case 0:
      return choices.word();
    case 1:
      return choices.below(16);
    case 2:
      return anySelector(choices);
    case 3:
      return choices.pick(NUMBERS);
    default:
      return anyAddress(choices);
  }
}

class Emitter {
  readonly #into: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(into: Uint8Array, start: number, end: number) {
    this.#into = into;
    this.#at = start;
    this.#end = end;
  }

  get isFull(): boolean {
    return this.#at >= this.#end;
  }

  byte(value: number): void {
    if (!this.isFull) this.#into[this.#at++] = value;
  }

  little(value: number, bytes: number): void {
    for (let i = 0; i < bytes; i++) this.byte(value >>> (8 * i));
  }
}

function emitModrm(choices: Choices, out: Emitter, is32: boolean): void {
  const modrm = choices.word() & 0xff;
  out.byte(modrm);
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 3) return;
  if (is32) {
    const sib = choices.word() & 0xff;
    if (rm === 4) out.byte(sib);
    if (mod === 2 || (mod === 0 && (rm === 5 || (rm === 4 && (sib & 7) === 5)))) {
      out.little(anyAddress(choices), 4);
    }
  } else if (mod === 2 || (mod === 0 && rm === 6)) {
    out.little(anyAddress(choices), 2);
  }
  if (mod === 1) out.byte(choices.word());
}

function emitInstruction(choices: Choices, out: Emitter, is32: boolean): void {
  let hasLongAddress = is32;
  if (choices.oneIn(100))
    for (let i = choices.below(16); i > 0; i--) out.byte(choices.pick(PREFIXES));
  while (choices.oneIn(5)) {
    const prefix = choices.pick(PREFIXES);
    out.byte(prefix);
    if (prefix === 0x67) hasLongAddress = !is32;
  }
  const opcode = anyOpcode(choices);
  if (opcode > 0xff) out.byte(0x0f);
  out.byte(opcode);
  if (I386.entry(opcode).hasModrm) emitModrm(choices, out, hasLongAddress);
  const width = is32 ? 4 : 2;
  switch (FAR_POINTERS.includes(opcode) ? 0 : choices.below(6)) {
    case 0:
      // The pointer of a far transfer.
      out.little(CODE + choices.below(CODE_END - CODE), width);
      out.little(choices.oneIn(2) ? choices.pick(TARGETS) : anySelector(choices), 2);
      break;
    case 1:
      out.little(anyValue(choices), width);
      break;
    case 2:
      out.byte(choices.word());
      break;
    default:
  }
}

/** One byte, or 0F00h plus the second byte. */
function anyOpcode(choices: Choices): number {
  switch (choices.below(10)) {
    case 0:
    case 1:
      return choices.pick(EVENTFUL);
    case 2:
      return 0x0f00 | choices.pick(EVENTFUL_0F);
    case 3:
    case 4:
      return 0x0f00 | choices.below(256);
    default:
      return choices.below(256);
  }
}

/** Fills bytes with instructions. @param is32 for a code segment of 32 bits. */
export function fillWithCode(
  choices: Choices,
  into: Uint8Array,
  start: number,
  end: number,
  is32: boolean,
): void {
  const out = new Emitter(into, start, end);
  while (!out.isFull) {
    if (choices.oneIn(20)) for (let i = 0; i < 8; i++) out.byte(choices.word());
    else emitInstruction(choices, out, is32);
  }
}
