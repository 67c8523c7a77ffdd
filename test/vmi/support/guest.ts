/**
 * A guest of a few instructions on a whole machine, bare or under the hypervisor: flat segments in the
 * order that SYSENTER asks for, a handler for each vector that waits in a loop, 8259s at vectors 20h and
 * 28h with nothing masked. It loads its own tables, by instructions that trap under the hypervisor.
 */
import { writeEflags } from '../../../src/cpu/eflags.js';
import { setCpl, setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { loadImage } from '../../../src/machine/loaders/image.js';
import { Machine } from '../../../src/machine/machine.js';
import { vmiCall } from '../../../src/vmi/calls.js';
import { Hypervisor } from '../../../src/vmi/hypervisor.js';
import type { IretScheme } from '../../../src/vmi/iret-stubs.js';
import { installRom } from '../../../src/vmi/rom/install-rom.js';
import { ENTRY_GET_RELOC, ENTRY_INIT, ROM_CALLS } from '../../../src/vmi/rom/rom-calls.js';
import { ROM } from '../../../src/vmi/rom/rom-image.js';
import { encodeCall } from '../../../src/vmi/stubs.js';
import { ROM_IMAGE } from './rom-machine.js';

export const GDT = 0x11000;
export const IDT = 0x12000;
export const TSS = 0x14000;
const PAGE_DIRECTORY = 0x2000;
const PAGE_TABLE = 0x3000;
export const CODE = 0x10000;
/** Where the code of a test begins. */
export const START = CODE + 0x100;
export const KERNEL_STACK = 0x19000;
export const USER_STACK = 0x1a000;
/** Code at CPL 3: JMP to itself. */
export const USER_CODE = 0x1b000;
export const KERNEL_CS = 0x08;
export const KERNEL_DS = 0x10;
export const USER_CS = 0x1b;
export const USER_DS = 0x23;
export const TSS_SELECTOR = 0x28;
export const ABSENT_CS = 0x33;
/** The vector of IRQ 5, which tests inject. */
export const IRQ5 = 0x25;
export const TRAP_GATE = 0x8f00;
export const INTERRUPT_GATE = 0x8e00;

/** The handler of a vector: JMP to itself. */
export function handler(vector: number): number {
  return 0x1c000 + vector * 16;
}

export interface Site {
  readonly call: number;
  readonly address: number;
  readonly length: number;
}

export interface GuestOptions {
  /** Null: the guest runs on bare hardware, at CPL 0. */
  readonly scheme: IretScheme | null;
  /** Sites to patch, where there is a hypervisor. */
  readonly sites?: readonly Site[];
  /** More code than that at START. */
  readonly code?: readonly (readonly [address: number, bytes: readonly number[]])[];
  /** The hypervisor is the one in the ROM, and patches the sites where the guest has asked for it. */
  readonly isRom?: boolean;
}

/** A guest that is about to execute the code at START, with interrupts off. */
export class Guest {
  readonly machine = new Machine({ memoryBytes: 1 << 20 });
  readonly hypervisor: Hypervisor | null;

  constructor(code: readonly number[], options: GuestOptions) {
    const { machine } = this;
    const image = new Uint8Array(0x400);
    // LGDT [500h + CODE]; LIDT [508h + CODE]; MOV AX, 28h; LTR AX; JMP START
    image.set([0x0f, 0x01, 0x15, ...dword(CODE + 0x300), 0x0f, 0x01, 0x1d, ...dword(CODE + 0x308)]);
    image.set([0x66, 0xb8, TSS_SELECTOR, 0, 0x0f, 0x00, 0xd8, 0xe9], 14);
    image.set(dword(START - (CODE + 26)), 22);
    image.set(code, 0x100);
    image.set([0x37, 0, ...dword(GDT)], 0x300);
    image.set([0xff, 0x07, ...dword(IDT)], 0x308);
    loadImage(machine, { name: 'guest', bytes: image }, { address: CODE });
    this.#fillTables();
    for (const [address, bytes] of options.code ?? []) {
      machine.cpu.core.physical.load(address, Uint8Array.from(bytes));
    }
    this.hypervisor = this.#installed(options);
    this.state.esp = KERNEL_STACK - 0x100;
    this.runTo(START, 100);
    if (options.isRom && options.scheme !== null) this.#enterRom(options.sites ?? []);
    this.state.set(L.EAX, 0x11111111);
    for (const [port, value] of PIC_SETUP) machine.ports.write(port, 1, value);
  }

  get state(): Machine['cpu']['core']['state'] {
    return this.machine.cpu.core.state;
  }

  get eip(): number {
    return this.state.eip >>> 0;
  }

  /** EFLAGS.IF, or what stands in its place. */
  get interruptFlag(): boolean {
    return this.hypervisor?.interruptFlag ?? this.machine.cpu.acceptsInterrupts;
  }

  read(address: number): number {
    return this.machine.cpu.core.physical.read(address, 4);
  }

  write(address: number, ...words: readonly number[]): void {
    words.forEach((word, i) => this.machine.cpu.core.physical.write(address + i * 4, 4, word));
  }

  /** `count` dwords from the top of the stack. */
  stack(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.read((this.state.esp >>> 0) + i * 4) >>> 0);
  }

  step(count = 1): void {
    this.machine.run(this.machine.cpu.instant + count);
  }

  /** @throws Error when it doesn't get there. */
  runTo(eip: number, most = 1000): void {
    for (let i = 0; i < most && this.eip !== eip; i++) this.step();
    if (this.eip !== eip) throw new Error(`stopped at ${this.eip.toString(16)}h`);
  }

  raise(): void {
    this.machine.inject({ kind: 'irq', line: 5 });
  }

  /** Goes to CPL 3 with interrupts open, without any instruction. */
  enterUser(code: readonly number[] = [0xeb, 0xfe]): void {
    const { core } = this.machine.cpu;
    this.machine.cpu.core.physical.load(USER_CODE, Uint8Array.from(code));
    setSegment(core, L.SEG_CS, USER_CS, 0, 0xfbffffff | 0, 0xc0fb);
    for (const segment of [L.SEG_SS, L.SEG_DS, L.SEG_ES] as const) {
      setSegment(core, segment, USER_DS, 0, 0xfbffffff | 0, 0xc0f3);
    }
    setCpl(core, 3);
    core.state.eip = USER_CODE;
    core.state.esp = USER_STACK;
    writeEflags(core.state, 0x200, 0x200);
    this.machine.cpu.core.attention();
  }

  setGate(vector: number, type: number, selector = KERNEL_CS): void {
    const offset = handler(vector);
    this.write(IDT + vector * 8, (selector << 16) | (offset & 0xffff), (offset & ~0xffff) | type);
  }

  /** Maps the first megabyte, linear = physical, for the user too, and turns paging on. */
  enablePaging(): void {
    const { core } = this.machine.cpu;
    this.write(PAGE_DIRECTORY, PAGE_TABLE | 7);
    for (let page = 0; page < 256; page++) this.setPage(page << 12, true);
    core.state.set(L.CR3, PAGE_DIRECTORY);
    core.state.set(L.CR0, core.state.cr0 | (0x80000000 | 0));
    core.mmu.flush();
  }

  /** Has a page be there, or not. */
  setPage(linear: number, isPresent: boolean): void {
    const page = linear >>> 12;
    this.write(PAGE_TABLE + page * 4, (page << 12) | (isPresent ? 7 : 6));
  }

  #installed({ scheme, sites = [], isRom }: GuestOptions): Hypervisor | null {
    const { machine } = this;
    if (scheme === null) return null;
    if (isRom) return installRom(machine, ROM_IMAGE, scheme, () => undefined);
    const known = sites.map(({ call, address, length }) => ({
      call: vmiCall(call)!,
      address,
      length,
    }));
    return new Hypervisor(machine, { scheme, sites: known });
  }

  /** Calls Init, asks for each site's call, and has the site make it. */
  #enterRom(sites: readonly Site[]): void {
    if (this.#callRom(ENTRY_INIT, 0) !== 0) throw new Error('Init failed');
    for (const { call, address } of sites) {
      const { number } = ROM_CALLS.find(({ slot }) => slot === call)!;
      const target = this.#callRom(ENTRY_GET_RELOC, number);
      this.machine.cpu.core.physical.load(address, Uint8Array.from(encodeCall(address, target)));
    }
  }

  #callRom(entry: number, eax: number): number {
    const { state } = this;
    state.esp -= 4;
    this.write(state.esp, START);
    state.set(L.EAX, eax);
    state.eip = ROM + entry;
    this.runTo(START, 100);
    return state.get(L.EAX);
  }

  #fillTables(): void {
    this.write(GDT, 0, 0, 0x0000ffff, 0x00cf9a00, 0x0000ffff, 0x00cf9200);
    this.write(GDT + 0x18, 0x0000ffff, 0x00cffa00, 0x0000ffff, 0x00cff200);
    this.write(
      GDT + 0x28,
      0x67 | (TSS << 16),
      ((TSS >> 16) & 0xff) | 0x8900,
      0x0000ffff,
      0x00cf7a00,
    );
    this.write(TSS + 4, KERNEL_STACK, KERNEL_DS);
    this.write(TSS + 0x64, 0x680000);
    for (let vector = 0; vector < 256; vector++) {
      this.setGate(vector, INTERRUPT_GATE);
      this.write(handler(vector), 0xfeeb);
    }
  }
}

function dword(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

const PIC_SETUP: readonly (readonly [number, number])[] = [
  [0x20, 0x11],
  [0x21, 0x20],
  [0x21, 4],
  [0x21, 1],
  [0x21, 0],
  [0xa0, 0x11],
  [0xa1, 0x28],
  [0xa1, 2],
  [0xa1, 1],
  [0xa1, 0],
];
