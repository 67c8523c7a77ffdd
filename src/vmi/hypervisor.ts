/**
 * The hypervisor under a paravirtualised guest: it lowers the guest's kernel to CPL 1, answers what traps
 * there, and injects what arrives.
 *
 * The processor stays plain hardware. Its EFLAGS.IF is always 1 and IOPL 0, so each external interrupt
 * comes to the hypervisor, and CLI, STI and the like fault. POPF, IRET, PUSHF, SGDT and SMSW do what
 * hardware does at CPL 1: they ignore IF, or show what is real.
 */
import type { Core } from '../cpu/core.js';
import { accessDpl, isNullSelector } from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, EFLAGS_VM, writeEflags } from '../cpu/eflags.js';
import { fault, VECTOR_GP, VECTOR_PF } from '../cpu/fault.js';
import type { Admission, GuestDescriptor, Interceptor } from '../cpu/interceptor.js';
import { setCpl, setSegment } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { type DeliveryKind, deliver } from '../cpu/system/delivery.js';
import { checkStateLength, type Device } from '../machine/device.js';
import type { Machine } from '../machine/machine.js';
import type { Site } from './annotations.js';
import { CALL_SYSEXIT } from './calls.js';
import type { Dialect } from './dialect.js';
import {
  emulatePrivileged,
  enterBySysenter,
  type GuestCpu,
  leaveBySysexit,
  readKernelStack,
  readStack,
  updateKernelStack,
} from './emulate.js';
import { decodeAtEip } from './guest-code.js';
import { adjustDescriptor, truncatedLimit } from './guest-descriptors.js';
import { GuestState, STATE_WORDS } from './guest-state.js';
import { enterGuestHandler } from './inject.js';
import { dropIretFrame, finishIret, raiseKernelFrame } from './iret.js';
import {
  KERNEL_CPL,
  type Placement,
  REAL_GDT,
  REAL_IDT,
  REAL_IDT_LIMIT,
  REGION,
  SHARED,
} from './layout.js';
import { patchSites } from './patch.js';
import { SharedWords } from './shared-words.js';
import {
  buildRegion,
  type IretScheme,
  type IretStage,
  type Region,
  type Request,
} from './stubs.js';

const PAGE_BYTES = 4096;
const OPCODE_SYSENTER = 0x0f34;

/** What is chosen of a hypervisor. */
export interface HypervisorOptions {
  readonly scheme: IretScheme;
  /** Places in the guest to patch, checked by `readAnnotations`; or how else the two find each other. */
  readonly sites: readonly Site[] | Dialect;
}

/** One machine's hypervisor. From its construction on the guest is deprivileged, unless a dialect decides. */
export class Hypervisor implements Interceptor, Device {
  readonly name = 'hypervisor';
  #region: Region;
  readonly #machine: Machine;
  readonly #core: Core;
  readonly #scheme: IretScheme;
  readonly #guest = new GuestState();
  readonly #shared: SharedWords;
  readonly #cpu: GuestCpu;
  readonly #dialect: Dialect | null = null;
  /** A fault that the guest is to see is on its way to it: it is nothing to emulate. */
  #isReflecting = false;

  /** @param machine with the guest's image loaded, at instant 0 and in protected mode. */
  constructor(machine: Machine, options: HypervisorOptions) {
    this.#machine = machine;
    this.#core = machine.cpu.core;
    this.#scheme = options.scheme;
    this.#shared = new SharedWords(this.#core.physical);
    this.#cpu = { core: this.#core, guest: this.#guest, shared: this.#shared };
    this.#core.physical.load(SHARED, new Uint8Array(PAGE_BYTES));
    this.#region = buildRegion(options.scheme);
    machine.addDevice(this);
    if ('attach' in options.sites) {
      this.#dialect = options.sites;
      this.#dialect.attach({
        cpu: this.#cpu,
        interceptor: this,
        place: (placement) => this.#place(placement),
        lower: () => this.#lower(),
      });
      return;
    }
    const page = new Uint8Array(PAGE_BYTES);
    page.set(this.region.bytes);
    machine.loadRom(REGION, page);
    patchSites(this.#core.physical, options.sites, this.region);
    this.#core.interceptor = this;
    this.#lower();
  }

  /** The published region. */
  get region(): Region {
    return this.#region;
  }

  /** Virtual IF: whether the guest lets interrupts in. */
  get interruptFlag(): boolean {
    return this.#shared.interruptFlag;
  }

  get acceptsInterrupts(): boolean {
    return this.#shared.interruptFlag;
  }

  get gdtBase(): number {
    return this.#guest.gdtBase;
  }

  adjust(descriptor: GuestDescriptor): void {
    adjustDescriptor(descriptor);
  }

  /** A machine that was reset has no guest to be under: its image must be loaded anew. */
  reset(): void {
    this.#core.interceptor = null;
  }

  save(): number[] {
    return [...this.#guest.save(), ...(this.#dialect?.save() ?? [])];
  }

  restore(state: readonly number[]): void {
    const own = state.slice(0, STATE_WORDS);
    const others = state.slice(STATE_WORDS);
    if (this.#dialect === null) checkStateLength(this.name, others, 0);
    checkStateLength(this.name, own, STATE_WORDS);
    this.#guest.restore(own);
    this.#dialect?.restore(others);
  }

  admit(event: 'interrupt' | 'nmi'): Admission {
    if (event === 'interrupt') {
      if (this.#guest.isPendingKnown) return 'hold';
      if (!this.#shared.interruptFlag) {
        this.#guest.isPendingKnown = true;
        this.#shared.pending = true;
        return 'hold';
      }
    }
    if (this.#scheme === 'naive' || this.#core.state.cpl !== KERNEL_CPL) return 'deliver';
    const at = this.#linearEip();
    const stage = this.region.iretStages.get(at);
    if (stage !== undefined) this.#rollForward(() => this.#finishIret(stage));
    else if (at === this.region.sysexit && event === 'interrupt') {
      this.#rollForward(() => this.#sysexit());
    } else return 'deliver';
    return 'step';
  }

  enter(vector: number, errorCode: number, kind: DeliveryKind, returnEip: number): void {
    if (kind === 'fault' && !this.#isReflecting && this.#handles(vector, errorCode)) {
      this.#exited();
      return;
    }
    this.#dialect?.settle();
    const eip = kind === 'fault' ? this.#core.state.eip : returnEip;
    const { interruptFlag } = this.#shared;
    const event = { vector, errorCode, kind, returnEip: eip, interruptFlag };
    if (enterGuestHandler(this.#core, this.#guest, event)) this.#shared.interruptFlag = false;
    if (kind === 'interrupt') this.#shared.pending = false;
    this.#exited();
  }

  /** The guest is about to go on: what waits is looked at anew at the next boundary. */
  #exited(): void {
    this.#guest.isPendingKnown = false;
    if (this.#core.state.get(L.INTR) === 0) this.#shared.pending = false;
    this.#core.attention();
  }

  /** Answers a fault that is no matter of the guest's. False where it is. */
  #handles(vector: number, errorCode: number): boolean {
    const { state } = this.#core;
    if (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) return false;
    const isKernel = state.cpl === KERNEL_CPL;
    const stage = isKernel ? this.region.iretStages.get(this.#linearEip()) : undefined;
    const request = isKernel ? this.region.requests.get(this.#linearEip()) : undefined;
    if (stage !== undefined && request === undefined) return this.#iretFaulted(stage);
    return this.#guarded(() => {
      if (request === undefined && this.#dialect?.handles(vector)) return true;
      if (vector !== VECTOR_GP) return false;
      if (request !== undefined) {
        this.#serve(request);
        return true;
      }
      const decoded = decodeAtEip(this.#core);
      if (!isKernel) {
        return decoded.instruction.opcode === OPCODE_SYSENTER && enterBySysenter(this.#cpu);
      }
      if (this.#linearEip() === this.region.sysexit) {
        this.#sysexit();
        return true;
      }
      // Only a segment load has an error code here.
      if (errorCode !== 0 && decoded.instruction.opcode !== 0x8e) return false;
      return emulatePrivileged(this.#cpu, decoded);
    });
  }

  /** Runs what may fault as the guest's instruction would have; such a fault goes to the guest. */
  #guarded(work: () => boolean): boolean {
    try {
      return work();
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      this.#reflect();
      return true;
    }
  }

  /** Delivers `fault` to the guest, at the present EIP. */
  #reflect(): void {
    const { vector, errorCode } = fault;
    if (vector === VECTOR_PF) this.#core.state.set(L.CR2, fault.cr2);
    this.#isReflecting = true;
    deliver(this.#core, vector, errorCode, 'fault', this.#core.state.eip);
    this.#isReflecting = false;
  }

  /** Serves a HLT of the published region. @throws fault as the call does. */
  #serve(request: Request): void {
    const { state } = this.#core;
    const { kind, call } = request;
    if (kind === 'iret') {
      this.#note(call, (this.#shared.iretReturn - 5) | 0, []);
      const stage = this.region.iretStages.get(this.#linearEip());
      this.#finishIret(stage!);
      return;
    }
    const site = (readStack(this.#core, 0) - 5) | 0;
    if (kind === 'update-kernel-stack') {
      this.#note(call, site, [state.get(L.EAX), state.get(L.EDX)]);
      updateKernelStack(this.#cpu);
    } else {
      this.#note(call, site, []);
      if (kind === 'halt') {
        this.#shared.interruptFlag = true;
        state.set(L.HALTED, 1);
      }
    }
    state.eip = (state.eip + 1) | 0;
  }

  /** The SYSEXIT of the region. @throws fault #GP at the site that called it. */
  #sysexit(): void {
    const { state } = this.#core;
    const site = (readStack(this.#core, 0) - 5) | 0;
    if ((this.#guest.sysenterCs & 0xfffc) === 0) {
      state.eip = site;
      state.esp = (state.esp + 4) | 0;
    }
    this.#note(CALL_SYSEXIT, site, [state.get(L.EDX), state.get(L.ECX)]);
    leaveBySysexit(this.#cpu);
  }

  /** Carries out what the stub has yet to do, as a step of its own. A fault of it goes to the guest. */
  #rollForward(work: () => void): void {
    const { state } = this.#core;
    state.set(L.SHADOW, L.SHADOW_NONE);
    this.#guarded(() => {
      work();
      return true;
    });
    this.#exited();
  }

  #finishIret(stage: IretStage): void {
    finishIret(this.#cpu, stage);
  }

  /**
   * An instruction of the IRET stub faulted: its last one for what the frame says, any other for a stack
   * that isn't there. To the guest the IRET at the site has faulted, with ESP at the frame.
   * @returns false: the fault goes to the guest; true where the frame was mended and the IRET is tried
   *   again.
   */
  #iretFaulted(stage: IretStage): boolean {
    try {
      if (raiseKernelFrame(this.#core, stage)) return true;
      dropIretFrame(this.#cpu, stage);
    } catch (thrown) {
      // The stack can't even be read: the fault is seen where it is.
      if (thrown !== fault) throw thrown;
    }
    return false;
  }

  #note(call: number, site: number, args: readonly number[]): void {
    const number = this.#dialect?.callNumber(call) ?? call;
    this.#machine.observer?.shimCalled?.(number, site, args, null);
  }

  #linearEip(): number {
    const { state } = this.#core;
    return (state.segmentBase(L.SEG_CS) + state.eip) >>> 0;
  }

  #place(placement: Placement): Region {
    this.#region = buildRegion(this.#scheme, placement);
    return this.#region;
  }

  /**
   * Makes a kernel of CPL 0, in protected mode, one of CPL 1. Virtual IF becomes what IF was.
   * @throws fault #PF where the TSS can't be read, with nothing changed.
   */
  #lower(): void {
    const core = this.#core;
    const { state } = core;
    const guest = this.#guest;
    if (!isNullSelector(state.selector(L.SEG_TR))) readKernelStack(core, guest);
    const dpl = KERNEL_CPL << 5;
    for (const segment of [L.SEG_CS, L.SEG_SS, L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
      const access = state.segmentAccess(segment);
      if (accessDpl(access) !== 0 || access === 0) continue;
      const base = state.segmentBase(segment);
      const limit = truncatedLimit(base >>> 0, state.segmentLimit(segment) >>> 0);
      setSegment(core, segment, state.selector(segment) | KERNEL_CPL, base, limit, access | dpl);
    }
    setCpl(core, KERNEL_CPL);
    guest.gdtBase = state.get(L.GDTR_BASE);
    guest.idtBase = state.get(L.IDTR_BASE);
    guest.idtLimit = state.get(L.IDTR_LIMIT);
    guest.sysenterCs = state.get(L.MSR_SYSENTER_CS);
    this.#shared.interruptFlag = (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0;
    this.#shared.cr0 = state.cr0;
    writeEflags(state, EFLAGS_IF, EFLAGS_IF | EFLAGS_IOPL);
    state.set(L.MSR_SYSENTER_CS, 0);
    state.set(L.GDTR_BASE, REAL_GDT | 0);
    state.set(L.IDTR_BASE, REAL_IDT | 0);
    state.set(L.IDTR_LIMIT, REAL_IDT_LIMIT);
  }
}
