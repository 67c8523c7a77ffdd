/**
 * The dialect of API 3.0: an option ROM that the guest finds by itself, and enters. Until it calls Init the
 * guest is on bare hardware; from then on it is deprivileged.
 */
import { fault, VECTOR_GP, VECTOR_PF, VECTOR_UD } from '../../cpu/fault.js';
import { isProtectedMode } from '../../cpu/segmentation.js';
import * as L from '../../cpu/state-layout.js';
import type { Machine } from '../../machine/machine.js';
import type { Dialect, DialectHost } from '../dialect.js';
import { emulatePrivileged } from '../emulate.js';
import { decodeAtEip } from '../guest-code.js';
import { KERNEL_CPL, SHARED } from '../layout.js';
import { CLOCK_WORDS, RomClock } from './alarms.js';
import { callSite } from './call-site.js';
import { PageUpdates } from './page-updates.js';
import {
  CALL_SET_PXE,
  CALL_SET_PXE_LONG,
  ENTRY_GET_RELOC,
  ENTRY_INIT,
  type RomCall,
  romCall,
  traceNumber,
} from './rom-calls.js';
import { RomGate } from './rom-gate.js';
import { completeRom, ROM, ROM_BYTES, type RomImage } from './rom-image.js';
import { type Service, serve } from './rom-services.js';

const CALL_SHUTDOWN = 37;
const UD2_BYTES = 2;
const HLT_BYTES = 1;

// What Init answers.
const INIT_DONE = 0;
const INIT_TWICE = 1;
const INIT_BAD_MODE = 2;
const INIT_UNMAPPED = 3;

/** Told in words of a call that could not be served. */
export type Report = (text: string) => void;

/** Words of the state before those of clock and pages. */
const OWN_WORDS = 2;

export class RomDialect implements Dialect {
  readonly #machine: Machine;
  readonly #image: RomImage;
  readonly #report: Report;
  readonly #clock: RomClock;
  readonly #pages: PageUpdates;
  readonly #gate: RomGate;
  readonly #refused = new Set<number>();
  #host!: DialectHost;
  #isActive = false;
  /** Linear address of the ROM, unsigned. */
  #first = ROM;

  constructor(machine: Machine, image: RomImage, report: Report) {
    this.#machine = machine;
    this.#image = image;
    this.#report = report;
    this.#clock = new RomClock(machine);
    this.#pages = new PageUpdates(machine.cpu.core);
    this.#gate = new RomGate(machine.cpu.core, () => this.#answersTrap());
  }

  attach(host: DialectHost): void {
    this.#host = host;
    this.#machine.loadRom(ROM, this.#place(ROM));
    this.#machine.cpu.core.interceptor = this.#gate;
  }

  settle(): void {
    this.#pages.drain();
  }

  handles(vector: number): boolean {
    const { state } = this.#machine.cpu.core;
    const number = state.cpl === KERNEL_CPL ? this.#callAtEip(vector) : null;
    if (number === null) return this.#settlesFault(vector);
    if (number === ENTRY_INIT || number === ENTRY_GET_RELOC) return this.#answersTrap();
    if (number !== CALL_SET_PXE && number !== CALL_SET_PXE_LONG) this.#pages.drain();
    return this.#serve(number);
  }

  save(): number[] {
    const own = [Number(this.#isActive), this.#first];
    return [...own, ...this.#clock.save(), ...this.#pages.save()];
  }

  restore(words: readonly number[]): void {
    if (words[1] !== words[1] >>> 0) throw new Error(`a ROM at ${words[1]}`);
    this.#isActive = words[0] !== 0;
    this.#clock.restore(words.slice(OWN_WORDS));
    this.#pages.restore(words.slice(OWN_WORDS + CLOCK_WORDS));
    this.#place(words[1]);
    this.#machine.cpu.core.interceptor = this.#isActive ? this.#host.interceptor : this.#gate;
  }

  /** A page may be missing only because its entry waits: then the access is tried again. */
  #settlesFault(vector: number): boolean {
    const hasWaited = this.#pages.waiting > 0;
    this.#pages.drain();
    return hasWaited && vector === VECTOR_PF;
  }

  /** The call whose trapping instruction is at EIP, or null. */
  #callAtEip(vector: number): number | null {
    const offset = this.#offsetOfEip();
    if (vector === VECTOR_UD) {
      if (offset === this.#image.initTrap) return ENTRY_INIT;
      return offset === this.#image.unknownTrap ? ENTRY_GET_RELOC : null;
    }
    return vector === VECTOR_GP ? (this.#image.calls.get(offset) ?? null) : null;
  }

  /** Where in the ROM EIP is, wherever that is mapped; any other number where it isn't. */
  #offsetOfEip(): number {
    const { state, mmu } = this.#machine.cpu.core;
    const linear = (state.segmentBase(L.SEG_CS) + state.eip) >>> 0;
    return mmu.peek(linear) - ROM;
  }

  /** @returns false where what faulted is no call, though it is where one would be. @throws fault. */
  #serve(number: number): boolean {
    const { core } = this.#machine.cpu;
    const { state } = core;
    const call = romCall(number)!;
    const { eip } = state;
    const entry = (state.segmentBase(L.SEG_CS) + eip) | 0;
    const site = callSite(core, entry);
    try {
      const args = this.#arguments(call);
      const progress = this.#perform(number, site.address);
      if (progress === 'done') this.#note(call, site.address, args);
      return progress !== 'none';
    } catch (thrown) {
      if (thrown !== fault || !site.isKnown) throw thrown;
      // As if the CALL itself had faulted.
      state.eip = site.address;
      state.esp = (state.esp + 4) | 0;
      throw thrown;
    }
  }

  /** @returns `some` of a string instruction that goes on. @throws fault. */
  #perform(number: number, site: number): 'none' | 'some' | 'done' {
    const { cpu } = this.#host;
    const { state } = cpu.core;
    if (number === CALL_SHUTDOWN) {
      // EIP stays: not even an NMI gets the guest any further.
      cpu.shared.interruptFlag = false;
      state.set(L.HALTED, 1);
      return 'done';
    }
    const result = serve(this.#service(number, site), number);
    if (result === 'native') {
      const { eip } = state;
      if (!emulatePrivileged(cpu, decodeAtEip(cpu.core))) return 'none';
      return state.eip === eip ? 'some' : 'done';
    }
    if (result !== null) state.set(L.EAX, result);
    state.eip = (state.eip + HLT_BYTES) | 0;
    return 'done';
  }

  #service(number: number, site: number): Service {
    const { cpu } = this.#host;
    const { state } = cpu.core;
    return {
      cpu,
      machine: this.#machine,
      pages: this.#pages,
      clock: this.#clock,
      eax: state.get(L.EAX),
      edx: state.get(L.EDX),
      ecx: state.get(L.ECX),
      refuse: (reason) => this.#refuse(number, site, reason),
    };
  }

  #arguments(call: RomCall): number[] {
    const { core } = this.#machine.cpu;
    const registers = { eax: L.EAX, edx: L.EDX, ecx: L.ECX };
    return call.args.map((argument) =>
      typeof argument === 'number'
        ? core.mmu.read(
            (core.state.segmentBase(L.SEG_SS) + core.state.esp + 4 + 4 * argument) | 0,
            4,
            false,
          )
        : core.state.get(registers[argument]),
    );
  }

  #note(call: RomCall, site: number, args: readonly number[]): void {
    const result = call.hasResult ? this.#machine.cpu.core.state.get(L.EAX) : null;
    this.#machine.noteCall(traceNumber(call), site, args, result);
  }

  #refuse(number: number, site: number, reason: string): void {
    const name = romCall(number)?.name ?? 'a call that nobody knows';
    if (this.#refused.has(number)) return;
    this.#refused.add(number);
    const where = (site >>> 0).toString(16).padStart(8, '0');
    this.#report(`VMI call ${number} (${name}) from 0x${where} was not served: ${reason}`);
  }

  /** The UD2s: Init, and a question for a call that isn't there. @returns whether it was one of them. */
  #answersTrap(): boolean {
    const { core } = this.#machine.cpu;
    const { state } = core;
    const offset = this.#offsetOfEip();
    if (state.cpl === 3) return false;
    if (offset === this.#image.initTrap) {
      const site = callSite(core, (state.eip - this.#image.initTrap + ENTRY_INIT) | 0);
      const answer = this.#init();
      state.set(L.EAX, answer);
      this.#note(romCall(ENTRY_INIT)!, site.address, []);
    } else if (offset === this.#image.unknownTrap) {
      const site = callSite(core, (state.eip - this.#image.unknownTrap + ENTRY_GET_RELOC) | 0);
      this.#refuse(state.get(L.EAX) >>> 0, site.address, 'there is no such call');
      this.#note(romCall(ENTRY_GET_RELOC)!, site.address, [state.get(L.EAX)]);
    } else return false;
    state.eip = (state.eip + UD2_BYTES) | 0;
    return true;
  }

  /** @returns what Init answers. @throws fault #PF where the guest's TSS can't be read. */
  #init(): number {
    const { core } = this.#machine.cpu;
    const { state, mmu } = core;
    if (this.#isActive) return INIT_TWICE;
    const isFlat = state.segmentBase(L.SEG_CS) === 0 && state.segmentBase(L.SEG_SS) === 0;
    const flat32 = L.MODE_CODE32 | L.MODE_STACK32;
    const is32 = (state.get(L.MODE) & flat32) === flat32;
    if (!isProtectedMode(state) || state.cpl !== 0 || !isFlat || !is32) return INIT_BAD_MODE;
    const first = (state.eip - this.#image.initTrap) >>> 0;
    const words = (first + ROM_BYTES) >>> 0;
    if (mmu.peek(first) !== ROM || mmu.peek(words) !== SHARED) return INIT_UNMAPPED;
    const bytes = this.#place(first);
    this.#host.lower();
    if (first !== ROM) core.physical.load(ROM, bytes);
    this.#isActive = true;
    core.interceptor = this.#host.interceptor;
    return INIT_DONE;
  }

  /** Has the published region be where the guest sees the ROM. @returns the ROM's bytes for there. */
  #place(first: number): Uint8Array {
    this.#first = first;
    const at = { region: first + this.#image.region, words: first + ROM_BYTES };
    return completeRom(this.#image, this.#host.place(at), first);
  }
}
