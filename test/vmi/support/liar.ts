/**
 * Guests that lie to the hypervisor: random code at CPL 1 and CPL 3, random frames, tables, pages and words,
 * events at any time. Whatever comes of it is theirs; the host program goes on, and they stay held.
 */
import { writeEflags } from '../../../src/cpu/eflags.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { MachineState } from '../../../src/machine/machine.js';
import type { Random } from '../../../src/replay/random.js';
import { IRET_SCHEMES } from '../../../src/vmi/iret-stubs.js';
import { REGION, SHARED } from '../../../src/vmi/layout.js';
import {
  GDT,
  Guest,
  IDT,
  KERNEL_CS,
  KERNEL_DS,
  KERNEL_STACK,
  START,
  TSS,
  USER_CODE,
} from './guest.js';
import { checkHeld } from './held.js';

const CODE_BYTES = 32;
const NOPS = 40;
/** Flags that a guest may well have set: TF, IF, IOPL, NT, RF, VM, AC, VIF, VIP. */
const FLAGS = [0x100, 0x200, 0x1000, 0x3000, 0x4000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000];
/** Where tests find what they change. */
const USED_BYTES = 0x20000;
/** Machines that are made once and put back for each case. */
const STOCK = 40;
const STEPS_A_SLICE = 8;
const PAGE_TABLE = 0x3000;
const SECOND_TSS = 0x14800;
const SECOND_TSS_SELECTOR = 0x40;

/** What trips a hypervisor: privileged instructions, loads of segments, other tasks, changes of flags. */
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
  [0x0f, 0x22, 0xe0],
  [0x0f, 0x23, 0xf8],
  [0x0f, 0x00, 0xd8],
  [0x0f, 0x00, 0xd0],
  [0x8e, 0xd0],
  [0x8e, 0xd8],
  [0x17],
  [0x0f, 0xb2, 0x24, 0x24],
  [0x0f, 0x34],
  [0x0f, 0x35],
  [0xcd, 0x40],
  [0x6d],
  [0xf3, 0x6e],
  [0xcb],
  [0x9d],
  [0x50, 0x9d],
  [0xea, 0, 0, 0, 0, SECOND_TSS_SELECTOR, 0],
  [0x9a, 0, 0, 0, 0, SECOND_TSS_SELECTOR, 0],
  [0x89, 0x04, 0x24],
  [0xff, 0xd0],
];

/** Machines with guests that are about to lie. */
export class Liars {
  readonly #random: Random;
  readonly #stock: { guest: Guest; ram: Uint8Array; state: MachineState }[] = [];
  /** How many cases ended how. */
  readonly endings: Record<string, number> = {};

  constructor(random: Random) {
    this.#random = random;
  }

  /** One case. @throws whatever the host program must not throw, or where the guest has got out. */
  run(name: string, steps: number): void {
    const guest = this.#guest();
    this.#prepare(guest);
    const ending = this.#let(guest, steps);
    this.endings[ending] = (this.endings[ending] ?? 0) + 1;
    if (ending !== 'reset') checkHeld(guest.machine, name);
  }

  #guest(): Guest {
    const place = this.#random.below(STOCK);
    const known = this.#stock.at(place);
    if (known !== undefined) {
      known.guest.machine.cpu.core.physical.load(0, known.ram);
      known.guest.machine.restore(known.state);
      return known.guest;
    }
    const guest = this.#made();
    const ram = guest.machine.cpu.core.physical.ram.slice(0, USED_BYTES);
    this.#stock.push({ guest, ram, state: guest.machine.save() });
    return guest;
  }

  #made(): Guest {
    const random = this.#random;
    const sites = [35, 36, 38, 39, 40, 42, 71]
      .filter(() => random.below(2) === 0)
      .map((call, place) => ({ call, address: START + place * 5, length: 5 }));
    const guest = new Guest(new Array<number>(NOPS).fill(0x90), {
      scheme: IRET_SCHEMES[random.below(IRET_SCHEMES.length)],
      sites,
      isRom: random.below(3) === 0,
    });
    guest.machine.requestClock = (source) => {
      guest.machine.inject({ kind: 'clock', source, value: 0 });
    };
    guest.write(GDT + SECOND_TSS_SELECTOR, (SECOND_TSS << 16) | 0x67, 0x8900 | (SECOND_TSS >> 16));
    guest.state.set(L.GDTR_LIMIT, 0x7f);
    // A task that would run, with interrupts off and IOPL 3.
    const registers = [1, 2, 3, 4, KERNEL_STACK - 0x200, 6, 7, 8];
    const segments = [KERNEL_DS, KERNEL_CS, KERNEL_DS, KERNEL_DS, 0, 0, 0];
    guest.write(SECOND_TSS + 4, KERNEL_STACK - 0x300, KERNEL_DS);
    guest.write(SECOND_TSS + 0x20, START + NOPS + 7, 0x3002, ...registers, ...segments);
    return guest;
  }

  #prepare(guest: Guest): void {
    const random = this.#random;
    const { state } = guest;
    const bytes = Array.from({ length: CODE_BYTES }, () => random.below(256));
    for (let at = 0; at < CODE_BYTES - 8; ) {
      const piece = PIECES[random.below(PIECES.length)];
      bytes.splice(at, piece.length, ...piece);
      at += piece.length + (random.below(3) === 0 ? random.below(3) : 0);
    }
    guest.machine.cpu.core.physical.load(START + NOPS, Uint8Array.from(bytes));
    for (let register = 0; register < 8; register++) {
      if (random.below(3) === 0) state.setReg32(register, this.#word());
    }
    for (const table of [GDT, IDT, TSS, SECOND_TSS]) {
      const most = 1 + random.below(8);
      for (let done = 0; random.below(3) === 0 && done < most; done++) {
        guest.write(table + 4 * random.below(32), this.#word());
      }
    }
    if (random.below(3) === 0) guest.write(SHARED + 4 * random.below(8), this.#word());
    if (random.below(4) === 0) {
      guest.enablePaging();
      for (let pages = random.below(6); pages > 0; pages--) {
        const page =
          [REGION, SHARED, IDT, GDT, TSS, KERNEL_STACK, START, 0][random.below(8)] >>> 12;
        guest.write(PAGE_TABLE + page * 4, random.below(2) === 0 ? 0 : this.#word());
      }
    }
    this.#prepareStack(guest);
    if (random.below(4) === 0) guest.enterUser(bytes);
    else {
      const places = [START, REGION + random.below(0x1000), START + NOPS, START + NOPS];
      state.eip = places[random.below(places.length)];
    }
    const flags = FLAGS[random.below(FLAGS.length)] & ~0x3200;
    // VM is none that a guest at CPL 1 can set by itself.
    if (random.below(3) === 0) writeEflags(state, flags & ~0x20000, flags & ~0x20000);
    guest.machine.cpu.core.attention();
  }

  #prepareStack(guest: Guest): void {
    const random = this.#random;
    const { state } = guest;
    if (random.below(6) === 0) state.esp = [0, 4, -1, -4, 8, 0xffff, 0x10000, 2][random.below(8)];
    if (random.below(8) === 0) {
      // An expand-down stack, or one of 16 bits.
      const access = [0x00b7, 0x40b7, 0x00b3, 0x80b7][random.below(4)];
      const base = [0, 0x10000, 0xfbff0000 | 0][random.below(3)];
      setSegment(guest.machine.cpu.core, L.SEG_SS, 0x11, base, random.below(0x10000), access);
    }
    for (let at = 0; at < 9; at++) {
      const address = (state.esp + at * 4) >>> 0;
      if (address < 0xf0000) guest.write(address & ~3, this.#word());
    }
  }

  /** @returns how it ended. */
  #let(guest: Guest, steps: number): string {
    const random = this.#random;
    const { machine } = guest;
    for (let done = 0; done < steps; done += STEPS_A_SLICE) {
      if (random.below(3) === 0) guest.raise();
      if (random.below(6) === 0) machine.inject({ kind: 'nmi' });
      if (random.below(8) === 0) {
        const vector = random.below(32);
        machine.inject({ kind: 'exception', vector, errorCode: random.below(2) === 0 ? null : 4 });
      }
      const exit = machine.run(machine.cpu.instant + STEPS_A_SLICE);
      if (exit !== 'until') return exit;
      if (random.below(32) === 0) machine.restore(machine.save());
    }
    return 'until';
  }

  /** Any word, and often one that means something. */
  #word(): number {
    const random = this.#random;
    const known = [
      ...[0, 0x202, 0x20202, 0x7202, 0x08, 0x09, 0x10, 0x1b, 0x23, 0x33, 0x40],
      ...[START + NOPS, USER_CODE, SHARED, REGION, 0xfbfffffc | 0, -4],
    ];
    return random.below(2) === 0 ? known[random.below(known.length)] : random.next() | 0;
  }
}
