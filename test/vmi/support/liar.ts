/** A guest that lies to the hypervisor: random code at CPL 1 and CPL 3, random frames, tables and words. */
import type { Random } from '../../../src/replay/random.js';
import { IRET_SCHEMES } from '../../../src/vmi/iret-stubs.js';
import { REGION, SHARED } from '../../../src/vmi/layout.js';
import { GDT, Guest, IDT, START, TSS, USER_CODE } from './guest.js';

const CODE_BYTES = 24;
/** What trips a hypervisor: privileged instructions, loads of segments, calls into the region. */
const PIECES: readonly (readonly number[])[] = [
  [0xfa],
  [0xfb],
  [0xcf],
  [0xf4],
  [0x0f, 0x30],
  [0x0f, 0x32],
  [0x0f, 0x01, 0x15, 0, 0x10, 1, 0],
  [0x0f, 0x01, 0x1d, 0, 0x10, 1, 0],
  [0x0f, 0x22, 0xc0],
  [0x0f, 0x22, 0xd8],
  [0x0f, 0x00, 0xd8],
  [0x0f, 0x00, 0xd0],
  [0x8e, 0xd0],
  [0x17],
  [0x0f, 0xb2, 0x24, 0x24],
  [0x0f, 0x34],
  [0x0f, 0x35],
  [0xcd, 0x40],
  [0x6d],
  [0xcb],
];

/** Builds such a guest and lets it run. @throws whatever the host program must not throw. */
export function runLiar(random: Random, steps: number): void {
  const scheme = IRET_SCHEMES[random.below(IRET_SCHEMES.length)];
  const sites = [35, 36, 38, 39, 40, 42, 71]
    .filter(() => random.below(2) === 0)
    .map((call, place) => ({ call, address: START + place * 5, length: 5 }));
  const bytes = Array.from({ length: CODE_BYTES }, () => random.below(256));
  for (let at = 0; at < CODE_BYTES - 8; at += 1 + random.below(4)) {
    const piece = PIECES[random.below(PIECES.length)];
    bytes.splice(at, piece.length, ...piece);
  }
  const guest = new Guest([...new Array<number>(40).fill(0x90), ...bytes], { scheme, sites });
  const { state } = guest;
  for (let register = 0; register < 8; register++) {
    if (random.below(3) === 0) state.setReg32(register, word(random));
  }
  for (const table of [GDT, IDT, TSS, SHARED]) {
    if (random.below(3) === 0) guest.write(table + 4 * random.below(16), word(random));
  }
  for (let at = 0; at < 6; at++) {
    const address = (state.esp + at * 4) >>> 0;
    if (address < 0xf0000) guest.write(address & ~3, word(random));
  }
  if (random.below(4) === 0) guest.enterUser(bytes);
  else if (random.below(3) === 0) state.eip = REGION + random.below(0x120);
  for (let done = 0; done < steps; done += 8) {
    if (random.below(3) === 0) guest.raise();
    if (random.below(6) === 0) guest.machine.inject({ kind: 'nmi' });
    const exit = guest.machine.run(guest.machine.cpu.instant + 8);
    if (exit !== 'until') return;
  }
}

/** Any word, and often one that means something. */
function word(random: Random): number {
  const known = [0, 0x202, 0x20202, 0x08, 0x09, 0x10, 0x1b, 0x23, 0x33, START, USER_CODE, SHARED];
  return random.below(2) === 0 ? known[random.below(known.length)] : random.next() | 0;
}
