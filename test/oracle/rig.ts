/**
 * Runs oracle cases on a processor of ours: flat 32-bit protected mode at CPL 3 with just two pages of
 * its own, and a kernel of nothing but gates, whose frames say what happened.
 */
import { Cpu } from '../../src/cpu/cpu.js';
import { EFLAGS_ARITHMETIC, EFLAGS_DF, EFLAGS_IF, writeEflags } from '../../src/cpu/eflags.js';
import { hasErrorCode } from '../../src/cpu/fault.js';
import type { CpuVendor } from '../../src/cpu/model.js';
import { setCpl, setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { updateAlignmentCheck } from '../../src/cpu/system/alignment.js';
import type { OracleCase, Verdict } from './case.js';
import { fpuDifferences, loadFpu } from './fpu.js';

const CODE_PAGE = 0x6000;
const DATA_PAGE = 0x8000;
const START = 0x6800;
/** The kernel's pages lie here in linear memory, at the same offsets from 0 in physical memory. */
const KERNEL = 0xc0000000 | 0;
const DIRECTORY = 0x10000;
const USER_TABLE = 0x11000;
const KERNEL_TABLE = 0x12000;
const GDT = 0x13000;
const IDT = 0x14000;
const TSS = 0x15000;
const STACK_TOP = 0x17000;
const HANDLERS = 0x18000;
const KERNEL_CODE = 0x08;
const USER_CODE = 0x1b;
const USER_DATA = 0x23;
const TSS_SELECTOR = 0x28;
const RAM_BYTES = 0x20000;
const STEP_LIMIT = 100_000;
const HLT = 0xf4;
const IRET = 0xcf;
/**
 * Where compiled cases begin: some NOPs and a jump, as one instruction alone is not compiled. There are
 * two places, one of which no case ends in.
 */
const RUN_UP = 0x6100;
const OTHER_RUN_UP = 0x6200;
const NOP = 0x90;
const JMP = 0xe9;
const RUN_UP_BYTES = 8;

const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const COMPARED = EFLAGS_ARITHMETIC | EFLAGS_DF | EFLAGS_IF;
const SELECTORS = { ss: USER_DATA, ds: USER_DATA, cs: USER_CODE };

function hex(value: number): string {
  return (value >>> 0).toString(16);
}

export class Rig {
  readonly #cpu: Cpu;
  readonly #ram: Uint8Array;
  readonly #view: DataView;

  /** @param vendor whose processor it is that the cases are run on. */
  constructor(vendor: CpuVendor = 'intel') {
    this.#cpu = new Cpu(
      RAM_BYTES,
      { read: () => -1, write: () => undefined },
      {
        readPort: () => 0xffffffff,
        writePort: () => undefined,
        acknowledgeInterrupt: () => 0,
        readTimestamp: () => 0,
      },
      { hotEntries: 1, vendor },
    );
    const { physical } = this.#cpu.core;
    this.#ram = physical.ram;
    this.#view = new DataView(this.#ram.buffer, this.#ram.byteOffset, RAM_BYTES);
  }

  /** Null where everything that is defined came out as on the processor, interpreted. */
  check(test: OracleCase): Verdict {
    this.#prepare(test);
    const steps: number[][] = [];
    const frame = this.#run(steps);
    if (frame === null) return 'does not end';
    return this.#differences(test, frame, steps);
  }

  /**
   * As `check`, in compiled code: the case runs twice from the same state, and what was entered once is
   * compiled. Not for cases of single steps, which are always interpreted.
   */
  checkCompiled(test: OracleCase): Verdict {
    const cpu = this.#cpu;
    const { physical, state } = cpu.core;
    this.#prepare(test);
    const endsInRunUp = test.out.eip >>> 0 >= RUN_UP && test.out.eip >>> 0 < OTHER_RUN_UP;
    const runUp = endsInRunUp ? OTHER_RUN_UP : RUN_UP;
    const distance = START - (runUp + RUN_UP_BYTES);
    state.eip = runUp;
    physical.load(runUp, Uint8Array.of(NOP, NOP, NOP, JMP, distance, distance >> 8, 0, 0));
    const before = this.#ram.slice();
    const saved = cpu.save();
    if (cpu.run(STEP_LIMIT) !== 'halted') return 'compiled: does not end the first time';
    cpu.restore(saved);
    // All but the code: loading that would drop what was compiled from it.
    physical.load(0, before.subarray(0, CODE_PAGE));
    physical.load(CODE_PAGE + 0x1000, before.subarray(CODE_PAGE + 0x1000));
    if (cpu.run(STEP_LIMIT) !== 'halted') return 'compiled: does not end';
    // The handler is one HLT, which has been executed.
    const vector = state.eip - 1 - (KERNEL + HANDLERS);
    const verdict = this.#differences(test, { vector, frame: state.esp - KERNEL }, []);
    return verdict === null ? null : `compiled: ${verdict}`;
  }

  #prepare(test: OracleCase): void {
    const cpu = this.#cpu;
    const { core } = cpu;
    cpu.reset();
    core.physical.load(0, this.#image(test));
    const { state } = core;
    state.set(L.CR0, 0x80050031 | 0);
    state.set(L.CR3, DIRECTORY);
    state.set(L.CPL, 0);
    state.set(L.GDTR_BASE, KERNEL + GDT);
    state.set(L.GDTR_LIMIT, 0x2f);
    state.set(L.IDTR_BASE, KERNEL + IDT);
    state.set(L.IDTR_LIMIT, 0x7ff);
    setSegment(core, L.SEG_TR, TSS_SELECTOR, KERNEL + TSS, 0x67, 0x8b);
    setSegment(core, L.SEG_CS, USER_CODE, 0, -1, 0xc0fb);
    for (const segment of [L.SEG_ES, L.SEG_SS, L.SEG_DS] as const) {
      setSegment(core, segment, USER_DATA, 0, -1, 0xc0f3);
    }
    setCpl(core, 3);
    core.mmu.flush();
    test.in.regs.forEach((value, i) => state.setReg32(i, value | 0));
    writeEflags(state, test.in.eflags | EFLAGS_IF | (test.mode === 'T' ? 0x100 : 0), -1);
    updateAlignmentCheck(core);
    state.eip = START;
    if (test.in.fpu !== undefined) loadFpu(state, test.in.fpu);
    const { selector } = test;
    if (selector?.in === 'ax') state.setReg16(0, SELECTORS[selector.is]);
  }

  #image(test: OracleCase): Uint8Array {
    const image = new Uint8Array(RAM_BYTES);
    const view = new DataView(image.buffer);
    image.fill(0xcc, CODE_PAGE, CODE_PAGE + 0x1000);
    image.set(Buffer.from(test.code, 'hex'), START);
    image.set(this.#memory(test, test.in.mem), test.in.base);
    view.setUint32(DIRECTORY, USER_TABLE | 7, true);
    view.setUint32(DIRECTORY + 0xc00, KERNEL_TABLE | 3, true);
    for (const page of [CODE_PAGE, DATA_PAGE]) {
      view.setUint32(USER_TABLE + (page >> 10), page | 7, true);
    }
    for (let page = 0; page < RAM_BYTES; page += 0x1000) {
      view.setUint32(KERNEL_TABLE + (page >> 10), page | 3, true);
    }
    const flat = [0x00cf9b00, 0x00cf9300, 0x00cffb00, 0x00cff300];
    flat.forEach((high, i) => {
      view.setUint32(GDT + 8 + i * 8, 0xffff, true);
      view.setUint32(GDT + 12 + i * 8, high, true);
    });
    for (let vector = 0; vector < 256; vector++) {
      const handler = KERNEL + HANDLERS + vector;
      const isForUsers = vector === 3 || vector === 4 || vector === 0x80;
      view.setUint32(IDT + vector * 8, (KERNEL_CODE << 16) | (handler & 0xffff), true);
      view.setUint32(
        IDT + vector * 8 + 4,
        (handler & 0xffff0000) | (isForUsers ? 0xee00 : 0x8e00),
        true,
      );
    }
    // The handler of #DB returns; the others are the end.
    image.fill(HLT, HANDLERS, HANDLERS + 0x100);
    image[HANDLERS + 1] = IRET;
    view.setUint32(TSS + 4, KERNEL + STACK_TOP, true);
    view.setUint32(TSS + 8, 0x10, true);
    view.setUint16(TSS + 0x66, 0x68, true);
    return image;
  }

  /** The case's memory, with the selector that its code loads from there. */
  #memory(test: OracleCase, text: string): Uint8Array {
    const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
    const { selector } = test;
    if (typeof selector?.in === 'number') {
      new DataView(bytes.buffer).setUint32(selector.in, SELECTORS[selector.is], true);
    }
    return bytes;
  }

  /** Runs to the first exception but #DB, and says where its frame is: {vector, frame}. */
  #run(steps: number[][]): { vector: number; frame: number } | null {
    const cpu = this.#cpu;
    const { state } = cpu.core;
    for (let i = 0; i < STEP_LIMIT; i++) {
      if (cpu.run(cpu.instant + 1) !== 'until') return null;
      if (state.cpl === 3) continue;
      const vector = state.eip - (KERNEL + HANDLERS);
      const frame = state.esp - KERNEL;
      if (vector !== 1) return { vector, frame };
      // Its IRET is the step that has come back already, or comes next.
      steps.push([this.#view.getUint32(frame, true), state.reg32(1) >>> 0]);
    }
    return null;
  }

  #differences(
    test: OracleCase,
    end: { vector: number; frame: number },
    steps: readonly (readonly number[])[],
  ): Verdict {
    const { state } = this.#cpu.core;
    const expected = test.out;
    const found: string[] = [];
    const pushesError = hasErrorCode(end.vector);
    const frame = end.frame + (pushesError ? 4 : 0);
    let eip = this.#view.getUint32(frame, true);
    const eflags = this.#view.getUint32(frame + 8, true);
    const isFiller = end.vector === 3 && !(test.code === 'cc' && eip === START + 1);
    const exception = isFiller ? undefined : end.vector;
    if (isFiller) eip -= 1;
    if (exception !== expected.exception?.vector) {
      return `exception ${expected.exception?.vector ?? 'none'}, got ${exception ?? 'none'} at ${hex(eip)}`;
    }
    const compare = (name: string, want: number, got: number): void => {
      if (want >>> 0 !== got >>> 0) found.push(`${name} ${hex(want)}, got ${hex(got)}`);
    };
    const error = expected.exception?.error ?? null;
    if (error !== null) compare('error code', error, this.#view.getUint32(end.frame, true));
    if (expected.exception?.cr2 !== undefined)
      compare('cr2', expected.exception.cr2, state.get(L.CR2));
    const isOpen = new Set(test.undefined?.regs ?? []);
    expected.regs.forEach((value, i) => {
      if (isOpen.has(i)) return;
      const { selector } = test;
      const isSelector = i === 0 && selector?.in === 'ax';
      const want = isSelector ? (value & ~0xffff) | SELECTORS[selector.is] : value;
      const got = i === 4 ? this.#view.getUint32(frame + 12, true) : state.reg32(i);
      compare(NAMES[i], want, got);
    });
    compare('eip', expected.eip, eip);
    const flags = COMPARED & ~(test.undefined?.flags ?? 0);
    if ((eflags ^ expected.eflags) & flags) {
      found.push(`eflags ${hex(expected.eflags)}, got ${hex(eflags)} under ${hex(flags)}`);
    }
    if (!test.undefined?.mem) this.#compareMemory(test, found);
    if (expected.fpu !== undefined) {
      found.push(...fpuDifferences(state, expected.fpu, test.sw_mask ?? 0xffff));
    }
    if (test.steps !== undefined) {
      const want = test.steps.map(([at, ecx]) => `${hex(at)}:${hex(ecx)}`).join(' ');
      const got = steps.map(([at, ecx]) => `${hex(at)}:${hex(ecx)}`).join(' ');
      if (want !== got) found.push(`#DB at ${want}, got ${got}`);
    }
    return found.length === 0 ? null : found.join('; ');
  }

  #compareMemory(test: OracleCase, found: string[]): void {
    const want = new Uint8Array(0x1000);
    const memory = this.#memory(test, test.out.mem ?? test.in.mem);
    want.set(memory, test.in.base - DATA_PAGE);
    const got = this.#ram.subarray(DATA_PAGE, DATA_PAGE + 0x1000);
    const at = want.findIndex((byte, i) => byte !== got[i]);
    if (at >= 0) found.push(`byte at ${hex(DATA_PAGE + at)} ${hex(want[at])}, got ${hex(got[at])}`);
  }
}
