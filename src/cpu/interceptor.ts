/**
 * Who may stand between the processor and its descriptor tables: a hypervisor that owns the real IDT and
 * GDT and keeps what the guest has loaded to itself. The core stays plain hardware and asks.
 */

/**
 * What is delivered. `software` is INT n, INT3 and INTO: their gate's DPL is checked, and error codes
 * have no EXT bit. Only a `fault` pushes an error code (by its vector) and a set RF.
 */
export type DeliveryKind = 'fault' | 'trap' | 'interrupt' | 'nmi' | 'software';

/** A descriptor as it was read, to be changed: see `Descriptor`. */
export interface GuestDescriptor {
  low: number;
  high: number;
  readonly base: number;
  readonly limit: number;
}

/** A task as its TSS has it, to be changed before it is loaded. */
export interface GuestTask {
  eflags: number;
  /** ES, CS, SS, DS, FS, GS. */
  readonly selectors: Int32Array;
}

/** A task switch that nothing stands in the way of. */
export interface TaskSwitch {
  readonly incoming: GuestTask;
  /** The linear address of its TSS, and whether that is one of 32 bits. */
  readonly base: number;
  readonly is32: boolean;
  /** By IRET with NT set. */
  readonly isReturn: boolean;
  /** What the old task's TSS will say of where it goes on, and with which EFLAGS. */
  eip: number;
  eflags: number;
}

/**
 * What becomes of an event that waits at a boundary. `deliver`: it is taken now. `hold`: it isn't;
 * instructions go on. `step`: the interceptor has taken a step of its own, and is asked again after it.
 */
export type Admission = 'deliver' | 'hold' | 'step';

export interface Interceptor {
  /**
   * Asked at a boundary before an interrupt is acknowledged or an NMI taken which the processor itself
   * would take there. It must be harmless to be asked again at the same boundary.
   */
  admit(event: 'interrupt' | 'nmi'): Admission;
  /**
   * Does, in the stead of the IDT, all that a delivery does. See `enterHandler` for the parameters.
   * @throws fault what stands in the way, with nothing changed: it is delivered as on hardware.
   */
  enter(vector: number, errorCode: number, kind: DeliveryKind, returnEip: number): void;
  /** Linear address of the GDT that selectors name. */
  readonly gdtBase: number;
  /** Makes of a descriptor that was read from the guest's tables the one that the processor sees. */
  adjust(descriptor: GuestDescriptor): void;
  /** The stack that a call gate to the guest's kernel leads to, in the stead of the TSS's; null: the TSS's. */
  readonly innerStack: { readonly selector: number; readonly pointer: number } | null;
  /** Told of each task switch just before it is made. @throws fault #PF, with nothing changed. */
  switchTask(change: TaskSwitch): void;
  /** The next fault that is delivered comes from outside: no instruction of the guest's has caused it. */
  expectOutsideFault(): void;
  /** An interrupt may still be let in, though the processor is halted. */
  readonly acceptsInterrupts: boolean;
  /** An interrupt waits until it may be let in. Absent where none is ever kept. */
  readonly isPending?: boolean;
}
