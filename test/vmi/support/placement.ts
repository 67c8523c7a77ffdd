/**
 * A guest at one of its sites, an event placed before any instruction of what the site does, and all that
 * comes of it: what each handler finds, and where the guest comes to rest. The same guest is run on bare
 * hardware, so that what is expected need not be written down.
 *
 * The handlers return, by a site of their own. What differs by design is put aside: the kernel's RPL; EIP
 * and the return address on the stack while the guest is in a stub that is a subroutine to it; arithmetic
 * flags of the kernel's, which stubs may change.
 */
import {
  EFLAGS_ARITHMETIC,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_TF,
  readEflags,
  writeEflags,
} from '../../../src/cpu/eflags.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { MachineState } from '../../../src/machine/machine.js';
import type { IretScheme } from '../../../src/vmi/iret-stubs.js';
import { ROM, ROM_BYTES } from '../../../src/vmi/rom/rom-image.js';
import { Guest, handler, IRQ5, type Site, START, USER_CODE, USER_DS } from './guest.js';

export const NMI = 2;
export const PF = 14;
/** The site, behind two bytes that let interrupts in or don't. */
export const SITE = START + 2;
export const SITE_BYTES = 5;
/** Where a frame of the kernel's may lead: JMP to itself. */
export const LANDING = START + 0x80;
export const LDT = 0x13000;
const GDT_STACK16 = 0x11048;
const KERNEL_STACK16_AT = 0x11050;
/** A 16-bit stack for the kernel: linear address, selector. */
export const KERNEL_STACK16 = 0x15000;
export const KERNEL_STACK16_SELECTOR = 0x50;
/** SS of 16 bits at 10000h: from the LDT, from the GDT. */
export const LDT_STACK16 = 0x07;
export const GDT_STACK16_SELECTOR = 0x4b;
/** Where a frame across two pages is cut. */
export const FRAME_PAGE = 0x19000;

const IRET = 39;
const VM = 0x20000;
const MOST_STEPS = 400;
const REGISTERS = [0, 1, 2, 3, 5, 6, 7];
const SEGMENTS = [L.SEG_CS, L.SEG_SS, L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const;

/** Native code of the sites that tests place events at, by call. */
export const NATIVE: Readonly<Record<number, readonly number[]>> = {
  5: [0x0f, 0xa2],
  19: [0x89, 0x50, 0x04],
  35: [0xfb],
  36: [0xfa],
  37: [0x9c, 0x58],
  38: [0x50, 0x9d],
  39: [0xcf],
  40: [0xfb, 0x0f, 0x35],
  42: [0xfb, 0xf4],
  71: [0x50, 0x9d],
};

/** What happens at the place: an event, a page of the guest's that goes away, or that TF is set. */
export type Happening = 'step' | 'irq' | 'nmi' | 'exception' | 'frame page' | 'user page';

/** Who runs the guest. */
export interface Under {
  readonly scheme: IretScheme;
  readonly isRom: boolean;
}

/** What the guest is about to do. */
export interface Scene {
  readonly call: number;
  /** Interrupts are open at the site. */
  readonly isOpen?: boolean;
  /** On top of the stack, whose pointer is then `esp`. Code selectors of the kernel's are raised by need. */
  readonly frame?: readonly number[];
  readonly esp?: number;
  readonly registers?: Readonly<Record<number, number>>;
  /** Bits of EAX that count. */
  readonly eax?: number;
  /** Other code than the one site, with its own sites. `call` is not looked at then. */
  readonly code?: readonly number[];
  readonly sites?: readonly Site[];
  /** The first return gives the user all of ESP on a 16-bit stack, on bare hardware too. */
  readonly keepsUpperHalf?: boolean;
}

/** What a handler finds, and what is left at the end: comparable with those of another run. */
interface Outcome {
  readonly entries: readonly Entry[];
  readonly rest: Entry;
}

interface Entry {
  /** -1 of the end. */
  readonly vector: number;
  readonly eip: number;
  readonly esp: number;
  readonly frame: readonly number[];
  readonly registers: readonly number[];
  readonly selectors: readonly number[];
  readonly isOpen: boolean;
  readonly cr2: number;
  readonly isHalted: boolean;
}

/** The native code of a site, padded. */
export function padded(bytes: readonly number[]): number[] {
  const nops = new Array<number>(SITE_BYTES - bytes.length).fill(0x66);
  return [...bytes, ...nops.slice(1), ...(nops.length > 0 ? [0x90] : [])];
}

const IRQ_HANDLER = [0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, ...padded([0xcf])];
const ERROR_HANDLER = [0x8d, 0x64, 0x24, 0x04, ...padded([0xcf])];
const STILL = [0xeb, 0xfe];

/** Where guests put what a test may change. */
const USED_BYTES = 0x20000;

/** The guest at the site, to be had again and again. @param under null: on bare hardware. */
class Stage {
  readonly guest: Guest;
  readonly #ram: Uint8Array;
  readonly #state: MachineState;

  constructor(scene: Scene, under: Under | null) {
    this.guest = made(scene, under);
    this.#ram = this.guest.machine.cpu.core.physical.ram.slice(0, USED_BYTES);
    this.#state = this.guest.machine.save();
  }

  /** Puts the guest back to the site. */
  reset(): Guest {
    this.guest.machine.cpu.core.physical.load(0, this.#ram);
    this.guest.machine.restore(this.#state);
    return this.guest;
  }
}

function made(scene: Scene, under: Under | null): Guest {
  const first = scene.isOpen ? [0xfb, 0x90] : [0x90, 0x90];
  const code = scene.code ?? padded(NATIVE[scene.call]);
  const own = scene.sites ?? [{ call: scene.call, address: SITE, length: SITE_BYTES }];
  const guest = new Guest([...first, ...code, ...STILL], {
    scheme: under?.scheme ?? null,
    isRom: under?.isRom ?? false,
    sites: [
      ...own,
      { call: IRET, address: handler(IRQ5) + 6, length: SITE_BYTES },
      { call: IRET, address: handler(NMI), length: SITE_BYTES },
      { call: IRET, address: handler(PF) + 4, length: SITE_BYTES },
    ],
    code: [
      [handler(IRQ5), IRQ_HANDLER],
      [handler(NMI), padded([0xcf])],
      [handler(PF), ERROR_HANDLER],
      [LANDING, STILL],
      [USER_CODE, STILL],
      [USER_CODE + 0x100, STILL],
    ],
  });
  const { core } = guest.machine.cpu;
  guest.write(LDT, 0x0000ffff, 0x0000f201);
  guest.write(GDT_STACK16, 0x0000ffff, 0x0000f201);
  guest.write(
    KERNEL_STACK16_AT,
    (KERNEL_STACK16 << 16) | 0xffff,
    0x00009200 | (KERNEL_STACK16 >> 16),
  );
  core.state.set(L.GDTR_LIMIT, 0x57);
  setSegment(core, L.SEG_LDTR, 0x38, LDT, 7, 0x82);
  // As an exit has left them.
  for (const segment of [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
    setSegment(core, segment, USER_DS, 0, 0xfbffffff | 0, 0xc0f3);
  }
  // IA32_SYSENTER_CS, by the guest's own WRMSR, before what the test is about.
  guest.machine.cpu.core.physical.load(START - 0x20, Uint8Array.of(0x0f, 0x30));
  guest.state.set(L.ECX, 0x174);
  guest.state.set(L.EAX, 8);
  guest.state.set(L.EDX, 0);
  guest.state.eip = START - 0x20;
  guest.step();
  guest.state.eip = START;
  guest.enablePaging();
  core.attention();
  guest.runTo(SITE, 10);
  for (let register = 0; register < 8; register++) {
    if (register !== 4)
      guest.state.setReg32(register, scene.registers?.[register] ?? 0x1111 * register);
  }
  writeEflags(guest.state, 0, EFLAGS_ARITHMETIC);
  if (scene.esp !== undefined) guest.state.esp = scene.esp;
  const { frame = [] } = scene;
  const cpl = under === null ? 0 : 1;
  guest.write(
    guest.state.esp,
    ...frame.map((word, at) => (at === 1 && word === 8 ? word | cpl : word)),
  );
  return guest;
}

function happen(guest: Guest, what: Happening): void {
  if (what === 'irq') guest.raise();
  else if (what === 'nmi') guest.machine.inject({ kind: 'nmi' });
  else if (what === 'exception')
    guest.machine.inject({ kind: 'exception', vector: PF, errorCode: 2 });
  else if (what === 'frame page') guest.setPage(FRAME_PAGE, false);
  else if (what === 'user page') guest.setPage(USER_CODE, false);
  else {
    writeEflags(guest.state, EFLAGS_TF, EFLAGS_TF);
    guest.machine.cpu.core.attention();
  }
}

/** How many steps the scene takes without an event until nothing changes any more. */
function length(stage: Stage): number {
  const guest = stage.reset();
  for (let steps = 0; steps < MOST_STEPS; steps++) if (isAtRest(guest)) return steps;
  throw new Error('it goes on and on');
}

/** One step. @returns whether nothing has changed by it. */
function isAtRest(guest: Guest): boolean {
  const { eip } = guest;
  const { instant } = guest.machine.cpu;
  guest.step();
  return guest.machine.cpu.instant === instant || guest.eip === eip;
}

/** Runs a scene with a happening before the step after `at` steps. */
function outcome(stage: Stage, scene: Scene, what: Happening, at: number): Outcome {
  const guest = stage.reset();
  const entries: Entry[] = [];
  const vectors = [IRQ5, NMI, PF, 13, 11, 12, 8, 1];
  const look = (): void => {
    const vector = vectors.find((one) => guest.eip === handler(one));
    if (vector === undefined) return;
    entries.push(seen(guest, scene, vector));
    if (vector === PF) for (const page of [FRAME_PAGE, USER_CODE]) guest.setPage(page, true);
  };
  guest.step(at);
  happen(guest, what);
  // An exception is delivered at once.
  look();
  for (let steps = 0, still = 0; steps < MOST_STEPS && still < 3; steps++) {
    still = isAtRest(guest) ? still + 1 : 0;
    if (still === 0) look();
  }
  return { entries, rest: seen(guest, scene, -1) };
}

/** Arithmetic flags of the kernel's are put aside. */
function plain(flags: number, cs: number): number {
  return (flags & VM) !== 0 || (cs & 3) === 3 ? flags : flags & ~EFLAGS_ARITHMETIC;
}

function native(selector: number): number {
  return (selector & 3) === 1 ? selector & ~3 : selector;
}

function seen(guest: Guest, scene: Scene, vector: number): Entry {
  const { state } = guest;
  const words = guest.stack(12);
  const hasError = vector === PF || vector === 13 || vector === 11 || vector === 12 || vector === 8;
  let frame: number[] = [];
  let eip = guest.eip;
  if (vector >= 0) {
    const at = hasError ? 1 : 0;
    const isOuter = (words[at + 1] & 3) === 3 || (words[at + 2] & VM) !== 0;
    const isVirtual = (words[at + 2] & VM) !== 0;
    frame = words.slice(0, at + (isVirtual ? 9 : isOuter ? 5 : 3));
    frame[at + 1] = isVirtual ? frame[at + 1] : native(frame[at + 1]);
    frame[at + 2] = plain(frame[at + 2], frame[at + 1]);
    eip = frame[at];
  } else {
    const cs = native(state.selector(L.SEG_CS));
    const flags =
      (readEflags(state) & ~(EFLAGS_IF | EFLAGS_IOPL)) | (guest.interruptFlag ? EFLAGS_IF : 0);
    frame = [plain(flags, cs), state.cpl === 1 ? 0 : state.cpl];
  }
  const isUser16 =
    vector < 0 && [LDT_STACK16, GDT_STACK16_SELECTOR].includes(state.selector(L.SEG_SS));
  return {
    vector,
    eip,
    esp: isUser16 ? state.esp & 0xffff : state.esp >>> 0,
    frame: scene.keepsUpperHalf ? frame : without16(frame),
    registers: REGISTERS.map((at) => state.reg32(at) & (at === 0 ? (scene.eax ?? -1) : -1)),
    selectors: SEGMENTS.map((at) => native(state.selector(at))),
    isOpen: guest.interruptFlag,
    cr2: vector === PF || vector === -1 ? state.get(L.CR2) : 0,
    isHalted: state.get(L.HALTED) !== 0,
  };
}

/** A frame of a 16-bit stack without ESP's upper half, which bare hardware leaves the kernel's. */
function without16(frame: readonly number[]): number[] {
  const ss = frame.at(-1) ?? 0;
  if (frame.length < 5 || (ss !== LDT_STACK16 && ss !== GDT_STACK16_SELECTOR)) return [...frame];
  return frame.map((word, at) => (at === frame.length - 2 ? word & 0xffff : word));
}

/** ESP where the guest ends, under the hypervisor, with a happening after so many steps. */
export function lastPointer(scene: Scene, under: Under, what: Happening, at: number): number {
  const stage = new Stage(scene, under);
  outcome(stage, scene, what, at);
  return stage.guest.state.esp;
}

function isInRegion(eip: number): boolean {
  return eip >= ROM && eip < ROM + ROM_BYTES;
}

/** The outcomes that this one stands for: within a subroutine the guest is at the site, or behind it. */
function readings(outcome: Outcome, eips: readonly number[]): Outcome[] {
  if (![...outcome.entries, outcome.rest].some((entry) => isInRegion(entry.eip))) return [outcome];
  const one = (entry: Entry, eip: number): Entry => {
    if (!isInRegion(entry.eip)) return entry;
    const frame = entry.frame.map((word) => (word === entry.eip ? eip : word));
    return { ...entry, eip, frame, esp: entry.esp + 4 };
  };
  return eips.flatMap((eip) =>
    eips.map((last) => ({
      entries: outcome.entries.map((entry) => one(entry, eip)),
      rest: one(outcome.rest, last),
    })),
  );
}

/** What bare hardware gives. */
interface Expected {
  /** The addresses at which the guest is on the way. */
  readonly eips: readonly number[];
  readonly all: readonly string[];
}

/** The native outcomes of a scene: the event at each of its boundaries, in order. */
function nativeOutcomes(scene: Scene, what: Happening): Expected {
  const stage = new Stage(scene, null);
  const places = Array.from({ length: length(stage) + 1 }, (_, at) => at);
  const all = places.map((at) => JSON.stringify(outcome(stage, scene, what, at)));
  const guest = stage.reset();
  const eips = places.map(() => {
    const { eip } = guest;
    guest.step();
    return eip;
  });
  return { eips: [...new Set([...eips, SITE + SITE_BYTES])], all };
}

/** For each place of a scene under the hypervisor: which native place it is like; -1 where it is like none. */
export function likeNative(scene: Scene, under: Under, what: Happening): number[] {
  const expected = nativeOutcomes(scene, what);
  const stage = new Stage(scene, under);
  let from = 0;
  return Array.from({ length: length(stage) + 1 }, (_, at) => {
    const index = indexOf(outcome(stage, scene, what, at), expected, from);
    from = Math.max(from, index);
    return index;
  });
}

/**
 * Which of the native outcomes this is, in the order of their boundaries.
 * @param from none before this one counts.
 * @returns -1 where it is none of them.
 */
function indexOf(found: Outcome, expected: Expected, from: number): number {
  const texts = new Set(readings(found, expected.eips).map((reading) => JSON.stringify(reading)));
  return expected.all.findIndex((one, at) => at >= from && texts.has(one));
}
