/**
 * The hypervisor under a paravirtualised guest: it lowers the guest's kernel to CPL 1, answers what traps
 * there, and injects what arrives.
 *
 * The processor stays plain hardware. Its EFLAGS.IF is always 1 and IOPL 0, so each external interrupt
 * comes to the hypervisor, and CLI, STI and the like fault. POPF, IRET, PUSHF, SGDT and SMSW do what
 * hardware does at CPL 1: they ignore IF, or show what is real.
 */
import type { Core } from '../cpu/core.js';
import type { Decoded } from '../cpu/decoder/decode.js';
import { accessDpl, isNullSelector } from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, EFLAGS_VM, writeEflags } from '../cpu/eflags.js';
import { fault, VECTOR_GP, VECTOR_PF, VECTOR_SS } from '../cpu/fault.js';
import type { Admission, GuestDescriptor, Interceptor } from '../cpu/interceptor.js';
import { setCpl, setSegment } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { type DeliveryKind, deliver } from '../cpu/system/delivery.js';
import { checkStateLength, type Device } from '../machine/device.js';
import type { Machine } from '../machine/machine.js';
import type { Site } from './annotations.js';
import { type CallNoter, noteAccess } from './call-log.js';
import { CALL_RDMSR, CALL_WRMSR } from './calls.js';
import type { Dialect } from './dialect.js';
import {
  emulatePrivileged,
  emulateUserIo,
  enterBySysenter,
  type GuestCpu,
  readKernelStack,
} from './emulate.js';
import { decodeAtEip } from './guest-code.js';
import { adjustDescriptor, truncatedLimit } from './guest-descriptors.js';
import { GuestState, STATE_WORDS } from './guest-state.js';
import { enterGuestHandler, enterWithFrame, type GuestEvent } from './inject.js';
import {
  finishIret,
  frameFlags,
  giveUpFrame,
  raiseKernelFrame,
  returnToSite,
  skipToIret,
} from './iret.js';
import { type IretScheme, SCHEME_TRAITS, type SchemeTraits } from './iret-stubs.js';
import {
  KERNEL_CPL,
  type Placement,
  REAL_GDT,
  REAL_IDT,
  REAL_IDT_LIMIT,
  REGION,
  SHARED,
  SHARED_WORDS,
} from './layout.js';
import { patchSites } from './patch.js';
import type { IretStage, Repair } from './region-code.js';
import { finishSysexit, returnToSysexitSite, serve } from './serve.js';
import { SharedWords } from './shared-words.js';
import { buildRegion, type Region } from './stubs.js';
import { isStackFlat, type Violation, violationsAt } from './violations.js';

const PAGE_BYTES = 4096;
const OPCODE_SYSENTER = 0x0f34;
const OPCODE_WRMSR = 0x0f30;
const OPCODE_RDMSR = 0x0f32;

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
  /** Told of what must not happen and did; null where nobody wants to know. */
  onViolation: ((violation: Violation) => void) | null = null;
  readonly #machine: Machine;
  readonly #core: Core;
  readonly #scheme: IretScheme;
  readonly #traits: SchemeTraits;
  readonly #sites: ReadonlyMap<number, Site>;
  readonly #dialect: Dialect | null = null;
  readonly #guest = new GuestState();
  readonly #shared: SharedWords;
  readonly #cpu: GuestCpu;
  /** A fault that the guest is to see is on its way to it: it is nothing to emulate. */
  #isForGuest = false;

  /** @param machine with the guest's image loaded, at instant 0 and in protected mode. */
  constructor(machine: Machine, options: HypervisorOptions) {
    this.#machine = machine;
    this.#core = machine.cpu.core;
    this.#scheme = options.scheme;
    this.#traits = SCHEME_TRAITS[options.scheme];
    this.#region = buildRegion(options.scheme);
    this.#shared = new SharedWords((address, value) =>
      noteAccess(this.#core, this.region, address, value, this.#note),
    );
    this.#cpu = { core: this.#core, guest: this.#guest, shared: this.#shared };
    machine.addWindow(SHARED, this.#shared);
    machine.addDevice(this);
    const sites = 'attach' in options.sites ? [] : options.sites;
    this.#sites = new Map(sites.map((site) => [site.address, site]));
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
    patchSites(this.#core.physical, sites, this.region);
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

  /** The word PENDING: an interrupt waits that could not be injected when it came. */
  get isPending(): boolean {
    return this.#shared.pending;
  }

  /** An interrupt waits that is looked at when the guest next traps, and not before. */
  get holdsInterrupt(): boolean {
    return this.#guest.isPendingKnown;
  }

  get acceptsInterrupts(): boolean {
    return this.#shared.interruptFlag;
  }

  get gdtBase(): number {
    return this.#guest.gdtBase;
  }

  get innerStack(): { readonly selector: number; readonly pointer: number } {
    return { selector: this.#guest.kernelSs, pointer: this.#guest.kernelEsp };
  }

  adjust(descriptor: GuestDescriptor): void {
    adjustDescriptor(descriptor);
  }

  expectOutsideFault(): void {
    this.#isForGuest = true;
  }

  /** A machine that was reset has no guest to be under: its image must be loaded anew. */
  reset(): void {
    this.#core.interceptor = null;
  }

  save(): number[] {
    return [...this.#guest.save(), ...this.#shared.save(), ...(this.#dialect?.save() ?? [])];
  }

  restore(state: readonly number[]): void {
    const ownWords = STATE_WORDS + SHARED_WORDS;
    const others = state.slice(ownWords);
    if (this.#dialect === null) checkStateLength(this.name, others, 0);
    checkStateLength(this.name, state.slice(0, ownWords), ownWords);
    this.#guest.restore(state.slice(0, STATE_WORDS));
    this.#shared.restore(state.slice(STATE_WORDS, ownWords));
    this.#dialect?.restore(others);
    this.#isForGuest = false;
  }

  admit(event: 'interrupt' | 'nmi'): Admission {
    if (event === 'interrupt') {
      if (this.#guest.isPendingKnown) return 'hold';
      if (!this.#shared.interruptFlag) return this.#hold();
    }
    if (this.#core.state.cpl !== KERNEL_CPL) return 'deliver';
    return this.#admitInRegion(event);
  }

  enter(vector: number, errorCode: number, kind: DeliveryKind, returnEip: number): void {
    const exit = this.#presentExit();
    const isFolded = exit?.repair === 'fold' && (kind === 'interrupt' || kind === 'nmi');
    this.#report(kind, exit !== null, isFolded);
    if (kind === 'fault' && !this.#isForGuest && this.#handles(vector, errorCode)) {
      this.#exited();
      return;
    }
    this.#dialect?.settle();
    const eip = kind === 'fault' ? this.#core.state.eip : returnEip;
    const { interruptFlag } = this.#shared;
    const event = { vector, errorCode, kind, returnEip: eip, interruptFlag };
    // What stands in the way is the guest's too.
    this.#isForGuest = true;
    const clears = isFolded ? this.#fold(vector) : this.#push(event);
    this.#isForGuest = false;
    if (clears) this.#shared.interruptFlag = false;
    if (kind === 'interrupt') this.#shared.pending = false;
    this.#exited();
  }

  #push(event: GuestEvent): boolean {
    return enterGuestHandler(this.#core, this.#guest, event);
  }

  /** Hands the frame that the stub was about to pop to the handler. @throws fault as a delivery. */
  #fold(vector: number): boolean {
    const stage = this.#stage()!;
    return enterWithFrame(this.#core, this.#guest, vector, () => giveUpFrame(this.#cpu, stage));
  }

  /** The guest is about to go on: what waits is looked at anew at the next boundary. */
  #exited(): void {
    this.#guest.isPendingKnown = false;
    if (this.#core.state.get(L.INTR) === 0) this.#shared.pending = false;
    this.#core.attention();
  }

  /** Leaves an interrupt waiting until the guest traps. */
  #hold(): Admission {
    this.#guest.isPendingKnown = true;
    this.#shared.pending = true;
    return 'hold';
  }

  /** The IRET or SYSEXIT of the region that the guest's kernel is in; null where it is elsewhere. */
  #presentExit(): { readonly stage: IretStage | null; readonly repair: Repair } | null {
    if (this.#core.state.cpl !== KERNEL_CPL) return null;
    const stage = this.#stage();
    if (stage !== undefined) return { stage, repair: stage.repair };
    return this.#isAtSysexit() ? { stage: null, repair: this.#traits.sysexit } : null;
  }

  #admitInRegion(event: 'interrupt' | 'nmi'): Admission {
    const exit = this.#presentExit();
    if (exit === null) return 'deliver';
    const { stage } = exit;
    // An NMI may come before a SYSEXIT; and virtual IF is nothing to it, so it need never wait.
    if (stage === null && event === 'nmi') return 'deliver';
    let { repair } = exit;
    if (event === 'nmi' && (repair === 'restart' || repair === 'hold')) repair = 'to-site';
    if (repair === 'fold' && event === 'interrupt' && !this.#isFrameOpen(stage!))
      repair = 'to-site';
    switch (repair) {
      case 'none':
      case 'fold':
        return 'deliver';
      case 'hold':
        return this.#hold();
      case 'restart':
        this.#core.state.eip = this.region.iret.restart | 0;
        this.#hold();
        return 'step';
      case 'forward':
        this.#mend(() =>
          stage === null ? finishSysexit(this.#cpu, this.#note) : finishIret(this.#cpu, stage),
        );
        return 'step';
      case 'to-site':
        this.#mend(() =>
          stage === null ? returnToSysexitSite(this.#cpu) : returnToSite(this.#cpu, stage),
        );
        return 'step';
    }
  }

  /** The frame that IRET is about to pop lets interrupts in. One that can't be read does. */
  #isFrameOpen(stage: IretStage): boolean {
    try {
      return (frameFlags(this.#core, stage) & EFLAGS_IF) !== 0;
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      return true;
    }
  }

  /** Answers a fault that is no matter of the guest's. False where it is. */
  #handles(vector: number, errorCode: number): boolean {
    const { state } = this.#core;
    if (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) return false;
    const isKernel = state.cpl === KERNEL_CPL;
    const stage = isKernel ? this.#stage() : undefined;
    const request = isKernel ? this.region.requests.get(this.#linearEip()) : undefined;
    if (stage !== undefined && request === undefined) return this.#iretFaulted(stage, vector);
    return this.#guarded(() => {
      if (request === undefined && this.#dialect?.handles(vector)) return true;
      if (vector !== VECTOR_GP) return false;
      if (request !== undefined) {
        serve(this.#cpu, request, stage, this.#note);
        return true;
      }
      if (isKernel && this.#isAtSysexit()) {
        finishSysexit(this.#cpu, this.#note);
        return true;
      }
      const decoded = decodeAtEip(this.#core);
      if (isKernel) return this.#emulate(decoded, errorCode);
      if (decoded.instruction.opcode === OPCODE_SYSENTER) return enterBySysenter(this.#cpu);
      return errorCode === 0 && emulateUserIo(this.#cpu, decoded);
    });
  }

  #emulate(decoded: Decoded, errorCode: number): boolean {
    const { state } = this.#core;
    const { opcode } = decoded.instruction;
    const site = this.#sites.get(this.#linearEip());
    const args = opcode === OPCODE_WRMSR ? [L.ECX, L.EAX, L.EDX] : [L.ECX];
    const values = args.map((register) => state.get(register));
    if (!emulatePrivileged(this.#cpu, decoded, errorCode)) return false;
    const { number } = site?.call ?? {};
    if (opcode === OPCODE_WRMSR && number === CALL_WRMSR) {
      this.#note(number, site!.address | 0, values, null);
    } else if (opcode === OPCODE_RDMSR && number === CALL_RDMSR) {
      this.#note(number, site!.address | 0, values, state.get(L.EAX));
    }
    return true;
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
    this.#isForGuest = true;
    deliver(this.#core, vector, errorCode, 'fault', this.#core.state.eip);
    this.#isForGuest = false;
  }

  /** Brings the guest out of the region, as a step of its own. A fault of that goes to the guest. */
  #mend(work: () => void): void {
    this.#core.state.set(L.SHADOW, L.SHADOW_NONE);
    this.#guarded(() => {
      work();
      return true;
    });
    this.#exited();
  }

  /**
   * An instruction of the IRET stub faulted: its first one for a stack that is not flat, its last one for
   * what the frame says, any other for a stack that isn't there. To the guest the IRET at the site has
   * faulted, with ESP at the frame.
   * @returns false: the fault goes to the guest; true where the guest goes on.
   */
  #iretFaulted(stage: IretStage, vector: number): boolean {
    if (stage.hasReturn && vector === VECTOR_SS && !isStackFlat(this.#cpu)) {
      return this.#guarded(() => {
        if (this.#traits.finishesOffFlatStack) finishIret(this.#cpu, stage);
        else skipToIret(this.#cpu, stage, this.region.iret.iret);
        return true;
      });
    }
    const { errorCode, cr2 } = fault;
    try {
      if (raiseKernelFrame(this.#core, stage)) return true;
      returnToSite(this.#cpu, stage);
    } catch (thrown) {
      // The stack can't even be read: the fault is seen where it is.
      if (thrown !== fault) throw thrown;
      Object.assign(fault, { vector, errorCode, cr2 });
    }
    return false;
  }

  readonly #note: CallNoter = (call, site, args, result) => {
    this.#machine.observer?.shimCalled?.(call, site, args, result);
  };

  #report(kind: DeliveryKind, isOnExit: boolean, isFolded: boolean): void {
    if (this.onViolation === null) return;
    for (const violation of violationsAt(this.#cpu, this.region, kind, isOnExit, isFolded)) {
      this.onViolation(violation);
    }
  }

  #stage(): IretStage | undefined {
    return this.region.iretStages.get(this.#linearEip());
  }

  #isAtSysexit(): boolean {
    return this.#linearEip() === this.region.sysexit;
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
