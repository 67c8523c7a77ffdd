/**
 * The hypervisor under a paravirtualised guest: it lowers the guest's kernel to CPL 1, answers what traps
 * there, and injects what arrives.
 *
 * The processor stays plain hardware. Its EFLAGS.IF is always 1 and IOPL 0, so each external interrupt
 * comes to the hypervisor, and CLI, STI and the like fault. POPF, IRET, PUSHF, SGDT and SMSW do what
 * hardware does at CPL 1: they ignore IF, or show what is real.
 */
import { DR6_BS } from '../cpu/control-registers.js';
import type { Core } from '../cpu/core.js';
import { EFLAGS_TF } from '../cpu/eflags.js';
import { VECTOR_PF } from '../cpu/fault.js';
import type { Admission, GuestDescriptor, Interceptor, TaskSwitch } from '../cpu/interceptor.js';
import * as L from '../cpu/state-layout.js';
import type { DeliveryKind } from '../cpu/system/delivery.js';
import { checkStateLength, type Device } from '../machine/device.js';
import type { Machine } from '../machine/machine.js';
import type { Site } from './annotations.js';
import { type CallNoter, noteAccess } from './call-log.js';
import type { Dialect } from './dialect.js';
import type { GuestCpu } from './emulate.js';
import { adjustDescriptor } from './guest-descriptors.js';
import { GuestFaults } from './guest-faults.js';
import { GuestState, STATE_WORDS } from './guest-state.js';
import { enterGuestHandler, enterWithFrame } from './inject.js';
import { giveUpFrame, interruptFlagBefore } from './iret.js';
import type { IretScheme } from './iret-stubs.js';
import { KERNEL_CPL, REGION, SHARED, SHARED_WORDS } from './layout.js';
import { lowerGuest } from './lower.js';
import { patchSites } from './patch.js';
import { PublishedRegion } from './published-region.js';
import { Reflection } from './reflection.js';
import type { IretStage } from './region-code.js';
import { RegionExits } from './region-exits.js';
import { SharedWords } from './shared-words.js';
import type { Region } from './stubs.js';
import { virtualizeSwitch } from './tasks.js';
import { type Violation, violationAtCall, violationsAt } from './violations.js';

const PAGE_BYTES = 4096;

/** What is chosen of a hypervisor. */
export interface HypervisorOptions {
  readonly scheme: IretScheme;
  /** Places in the guest to patch, checked by `readAnnotations`; or how else the two find each other. */
  readonly sites: readonly Site[] | Dialect;
}

/** One machine's hypervisor. From its construction on the guest is deprivileged, unless a dialect decides. */
export class Hypervisor implements Interceptor, Device {
  readonly name = 'hypervisor';
  /** Told of what must not happen and did; null where nobody wants to know. */
  onViolation: ((violation: Violation) => void) | null = null;
  readonly #machine: Machine;
  readonly #core: Core;
  readonly #dialect: Dialect | null;
  readonly #guest = new GuestState();
  readonly #shared: SharedWords;
  readonly #cpu: GuestCpu;
  readonly #published: PublishedRegion;
  readonly #reflection: Reflection;
  readonly #exits: RegionExits;
  readonly #faults: GuestFaults;

  /** @param machine with the guest's image loaded, at instant 0 and in protected mode. */
  constructor(machine: Machine, options: HypervisorOptions) {
    this.#machine = machine;
    this.#core = machine.cpu.core;
    this.#shared = new SharedWords((address, value) => this.#accessed(address, value));
    const cpu = { core: this.#core, guest: this.#guest, shared: this.#shared };
    const published = new PublishedRegion(this.#core, options.scheme);
    const reflection = new Reflection(this.#core);
    this.#cpu = cpu;
    this.#published = published;
    this.#reflection = reflection;
    this.#exits = new RegionExits(cpu, published, reflection, this.#note);
    machine.addWindow(SHARED, this.#shared);
    machine.addDevice(this);
    const { sites } = options;
    const dialect = 'attach' in sites ? sites : null;
    const patched = 'attach' in sites ? [] : sites;
    this.#dialect = dialect;
    this.#faults = new GuestFaults({
      cpu,
      published,
      exits: this.#exits,
      reflection,
      sites: new Map(patched.map((site) => [site.address, site])),
      dialect,
      note: this.#note,
    });
    if (dialect !== null) {
      dialect.attach({
        cpu,
        interceptor: this,
        place: (placement) => published.place(placement),
        lower: () => lowerGuest(cpu),
      });
      return;
    }
    const page = new Uint8Array(PAGE_BYTES);
    page.set(this.region.bytes);
    machine.loadRom(REGION, page);
    patchSites(this.#core.physical, patched, this.region);
    this.#core.interceptor = this;
    lowerGuest(cpu);
  }

  /** The published region. */
  get region(): Region {
    return this.#published.region;
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

  switchTask(change: TaskSwitch): void {
    const { stage } = this.#published;
    // IRET with NT set, by the region: the old task goes on behind its site, with virtual IF as it was.
    if (change.isReturn && stage !== undefined && this.#core.state.cpl === KERNEL_CPL) {
      change.eip = this.#shared.iretReturn;
      this.#shared.interruptFlag = interruptFlagBefore(this.#cpu, stage);
    }
    virtualizeSwitch(this.#cpu, change);
    this.#exited();
  }

  expectOutsideFault(): void {
    this.#reflection.isUnderWay = true;
    this.#reflection.isFromOutside = true;
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
    this.#reflection.isUnderWay = false;
    this.#reflection.isFromOutside = false;
  }

  admit(event: 'interrupt' | 'nmi'): Admission {
    if (event === 'interrupt') {
      if (this.#guest.isPendingKnown) return 'hold';
      if (!this.#shared.interruptFlag) return this.#hold();
    }
    if (this.#core.state.cpl !== KERNEL_CPL) return 'deliver';
    switch (this.#exits.rule(event)) {
      case 'hold':
        return this.#hold();
      case 'restarted':
        this.#hold();
        return 'step';
      case 'moved':
        this.#exited();
        return 'step';
      case 'deliver':
        return 'deliver';
    }
  }

  enter(vector: number, errorCode: number, kind: DeliveryKind, returnEip: number): void {
    const { exit } = this.#published;
    const isFolded = exit?.repair === 'fold' && (kind === 'interrupt' || kind === 'nmi');
    this.#report(kind, exit !== null, isFolded);
    if (kind === 'fault' && !this.#reflection.isUnderWay && this.#handles(vector, errorCode)) {
      this.#exited();
      return;
    }
    this.#dialect?.settle();
    const { state } = this.#core;
    const eipBefore = state.eip;
    if (!this.#makesWay(kind)) {
      this.#exited();
      return;
    }
    const eip = kind === 'fault' || state.eip !== eipBefore ? state.eip : returnEip;
    const { interruptFlag } = this.#shared;
    const event = { vector, errorCode, kind, returnEip: eip, interruptFlag };
    // What stands in the way is the guest's too.
    this.#reflection.isUnderWay = true;
    const clears = isFolded
      ? this.#fold(vector, exit.stage!)
      : enterGuestHandler(this.#core, this.#guest, event);
    this.#reflection.isUnderWay = false;
    if (clears) this.#shared.interruptFlag = false;
    if (kind === 'interrupt') this.#shared.pending = false;
    this.#exited();
  }

  /** Answers a fault that is no matter of the guest's. @returns false where it is. */
  #handles(vector: number, errorCode: number): boolean {
    const { state } = this.#core;
    const isTraced = (state.get(L.FLAG_SYSTEM) & EFLAGS_TF) !== 0;
    const { count } = this.#reflection;
    if (!this.#faults.handles(vector, errorCode)) return false;
    // An instruction that was carried out with TF set is followed by a trap, as by the processor itself.
    const isCarriedOut = vector !== VECTOR_PF && this.#reflection.count === count;
    if (isTraced && isCarriedOut && state.get(L.SHADOW) !== L.SHADOW_MOV_SS) {
      state.set(L.PENDING_DEBUG, state.get(L.PENDING_DEBUG) | DR6_BS);
    }
    return true;
  }

  /** @returns false where the guest has got another fault instead. */
  #makesWay(kind: DeliveryKind): boolean {
    const { isFromOutside } = this.#reflection;
    this.#reflection.isFromOutside = false;
    if (kind === 'trap') return this.#exits.makeWay(kind);
    return kind !== 'fault' || !isFromOutside || this.#exits.makeWay(kind);
  }

  /** Hands the frame that the stub was about to pop to the handler. @throws fault as a delivery. */
  #fold(vector: number, stage: IretStage): boolean {
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

  readonly #note: CallNoter = (call, site, args, result) => {
    this.#machine.noteCall(call, site, args, result);
  };

  /** The guest is reading or writing one of the shared words. */
  #accessed(address: number, value: number): void {
    noteAccess(this.#core, this.region, address, value, this.#note);
    if (this.onViolation === null) return;
    const violation = violationAtCall(this.#cpu, this.region);
    if (violation !== null) this.onViolation(violation);
  }

  #report(kind: DeliveryKind, isOnExit: boolean, isFolded: boolean): void {
    if (this.onViolation === null) return;
    for (const violation of violationsAt(this.#cpu, this.region, kind, isOnExit, isFolded)) {
      this.onViolation(violation);
    }
  }
}
