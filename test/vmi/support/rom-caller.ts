/**
 * guest/rom-caller stopped where it has patched its sites and set up its tables: for making any call with
 * any registers from its sites.
 */
import { setNullSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { ClockSource } from '../../../src/machine/input.js';
import type { Machine, MachineState } from '../../../src/machine/machine.js';
import type { Hypervisor } from '../../../src/vmi/hypervisor.js';
import type { IretScheme } from '../../../src/vmi/stubs.js';
import { type RomMachine, romMachine } from './rom-machine.js';

/** Linear addresses of the direct map; of what the guest does not map; of a page for tests. */
export const DIRECT_MAP = 0xc0000000;
export const UNMAPPED = 0x50000000;
export const SCRATCH = 0xc0310000;
/** The top of the stack before a call's arguments. */
export const STACK = 0xc0320800;
/** Physical addresses that are no RAM. */
const DARK_FIRST = 0xa0000;
const DARK_END = 0xc0000;

export const KERNEL_CS = 0x61;
export const KERNEL_SS = 0x69;
export const USER_CS = 0x73;
export const USER_DS = 0x7b;

/** An event that the hypervisor noted. */
export interface Shim {
  readonly call: number;
  readonly site: number;
  readonly args: readonly number[];
  readonly result: number | null;
}

export interface CallerOptions {
  readonly scheme?: IretScheme;
  readonly apic?: boolean;
  /** A machine of its own: one that has reported nothing yet but a question for call 72. */
  readonly isFresh?: boolean;
}

export interface Registers {
  readonly eax?: number;
  readonly edx?: number;
  readonly ecx?: number;
}

interface Booted extends RomMachine {
  readonly ram: Uint8Array;
  readonly state: MachineState;
}

/** One machine for each kind, that all tests but those of reports share. */
const BOOTED = new Map<string, Booted>();

/** A machine at `ready`. */
function booted(options: CallerOptions): RomMachine {
  const key = `${options.scheme ?? ''} ${options.apic ?? ''}`;
  const known = options.isFresh ? undefined : BOOTED.get(key);
  const made = known ?? romMachine(options.scheme, options.apic);
  const { machine, loaded } = made;
  const { cpu } = machine;
  if (known === undefined) {
    machine.requestClock = (source) => machine.inject({ kind: 'clock', source, value: 0 });
    cpu.breakpoints = new Set([loaded.symbols.address('ready')!]);
    if (machine.run(100_000) !== 'breakpoint') throw new Error('the guest is not ready');
    cpu.breakpoints = new Set();
    const ram = cpu.core.physical.ram.slice();
    if (!options.isFresh) BOOTED.set(key, { ...made, ram, state: machine.save() });
  } else {
    const { ram } = known;
    cpu.core.physical.load(0, ram.subarray(0, DARK_FIRST));
    cpu.core.physical.load(DARK_END, ram.subarray(DARK_END));
    machine.restore(known.state);
  }
  return made;
}

const PRESERVED = [L.EBX, L.ESI, L.EDI, L.EBP] as const;
const SEGMENTS = [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS, L.SEG_SS, L.SEG_CS] as const;

/** What came of a call. Numbers are unsigned, but for the registers, which are signed. */
export interface Outcome {
  /** The vector of the exception that the guest got in place of an answer. */
  readonly fault: number | null;
  readonly eax: number;
  readonly edx: number;
  readonly ecx: number;
  /** EBX, ESI, EDI, EBP, ESP and the selectors are as they were. */
  readonly isPreserved: boolean;
}

export class RomCaller {
  readonly machine: Machine;
  readonly hypervisor: Hypervisor;
  readonly reports: readonly string[];
  readonly shims: Shim[] = [];
  /** What a call must keep, when it was made. */
  #before: readonly number[] = [];
  /** What the clocks show. */
  readonly clocks: Record<ClockSource, number> = {
    tsc: 1000,
    pit: 0,
    rtc: 1_141_776_000,
    apic: 5000,
  };
  readonly #symbols: RomMachine['loaded']['symbols'];

  constructor(options: CallerOptions = {}) {
    const { machine, hypervisor, loaded, reports } = booted(options);
    this.machine = machine;
    this.hypervisor = hypervisor;
    this.reports = reports;
    this.#symbols = loaded.symbols;
    machine.requestClock = (source) => {
      machine.inject({ kind: 'clock', source, value: this.clocks[source] });
    };
    machine.observer = {
      irqRaised: () => undefined,
      irqAccepted: () => undefined,
      shimCalled: (call, site, args, result) => this.shims.push({ call, site, args, result }),
    };
    this.shims.length = 0;
  }

  get state(): Machine['cpu']['core']['state'] {
    return this.machine.cpu.core.state;
  }

  get eip(): number {
    return this.state.eip >>> 0;
  }

  /** A symbol's linear address. */
  address(name: string): number {
    const found = this.#symbols.address(name);
    if (found === null) throw new Error(`the guest has no ${name}`);
    return found;
  }

  read(linear: number): number {
    return this.machine.cpu.core.mmu.read(linear, 4, false);
  }

  write(linear: number, ...words: readonly number[]): void {
    words.forEach((word, at) => this.machine.cpu.core.mmu.write(linear + at * 4, 4, word, false));
  }

  /** `count` dwords from the top of the stack, unsigned. */
  stack(count: number): number[] {
    return Array.from(
      { length: count },
      (_, at) => this.read((this.state.esp >>> 0) + at * 4) >>> 0,
    );
  }

  step(count = 1): void {
    this.machine.run(this.machine.cpu.instant + count);
  }

  /** @throws Error when it doesn't get there. */
  runTo(linear: number, most = 200): void {
    this.machine.cpu.breakpoints = new Set([linear]);
    this.machine.run(this.machine.cpu.instant + most);
    this.machine.cpu.breakpoints = new Set();
    if (this.eip !== linear) throw new Error(`stopped at ${this.eip.toString(16)}h`);
  }

  /** The handler of a vector, a loop. */
  handler(vector: number): number {
    return this.address('trap') + vector * 16;
  }

  /** Puts the guest at the site of a call, with these registers and words on the stack, and runs nothing. */
  goTo(number: number, registers: Registers = {}, words: readonly number[] = []): void {
    const { state } = this;
    state.set(L.EAX, (registers.eax ?? 0x11111111) | 0);
    state.set(L.EDX, (registers.edx ?? 0x22222222) | 0);
    state.set(L.ECX, (registers.ecx ?? 0x33333333) | 0);
    PRESERVED.forEach((register, at) => state.set(register, 0x66666666 + at));
    state.esp = (STACK - 4 * words.length) | 0;
    this.write(STACK - 4 * words.length, ...words);
    state.eip = this.address(`site${number}`) | 0;
    this.machine.cpu.core.attention();
    this.#before = this.#preserved();
  }

  /** Makes a call and comes back, or to the handler of its fault. */
  call(number: number, registers: Registers = {}, words: readonly number[] = []): Outcome {
    this.goTo(number, registers, words);
    return this.finish(number);
  }

  /** Runs on until the call is over. */
  finish(number: number): Outcome {
    const { state } = this;
    const behind = this.address(`behind${number}`);
    const traps = this.address('trap');
    const isTrap = (): boolean => this.eip >= traps && this.eip < traps + 256 * 16;
    for (let steps = 0; steps < 400 && this.eip !== behind && !isTrap(); steps++) this.step();
    const fault = isTrap() ? (this.eip - traps) / 16 : null;
    if (fault === null && this.eip !== behind) {
      throw new Error(`the call ended at ${this.eip.toString(16)}h`);
    }
    const after = this.#preserved();
    const [eax, edx, ecx] = [L.EAX, L.EDX, L.ECX].map((register) => state.get(register));
    const isPreserved = after.every((value, at) => value === this.#before[at]);
    return { fault, eax, edx, ecx, isPreserved };
  }

  /** Null selectors in all data segments but SS. */
  dropSegments(): void {
    for (const segment of [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
      setNullSegment(this.machine.cpu.core, segment);
    }
  }

  #preserved(): number[] {
    const { state } = this;
    return [
      ...PRESERVED.map((register) => state.get(register)),
      state.esp,
      ...SEGMENTS.map((segment) => state.selector(segment)),
    ];
  }
}
