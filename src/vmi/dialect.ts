/**
 * What the hypervisor leaves to the way in which guest and hypervisor find each other, where that is more
 * than sites that were patched beforehand.
 */
import type { Interceptor } from '../cpu/interceptor.js';
import type { GuestCpu } from './emulate.js';
import type { Placement } from './layout.js';
import type { Region } from './stubs.js';

/** What a dialect is given of the hypervisor. */
export interface DialectHost {
  readonly cpu: GuestCpu;
  /** Asked by the processor once the guest is deprivileged. */
  readonly interceptor: Interceptor;
  /** Has the published region be at a place from now on. Its bytes are the caller's to store. */
  place(placement: Placement): Region;
  /** Makes the kernel, at CPL 0 in protected mode, one of CPL 1. */
  lower(): void;
}

export interface Dialect {
  /** Called once, while the hypervisor is made. The guest is not deprivileged yet. */
  attach(host: DialectHost): void;
  /** An event is about to be injected: nothing that the guest has asked for may be outstanding. */
  settle(): void;
  /**
   * Answers a fault at EIP, which is not in the published region, as one step.
   * @returns false where it is no matter of the dialect's.
   * @throws fault what the guest is to see instead, at the present EIP.
   */
  handles(vector: number): boolean;
  /** The dialect's own words, for checkpoints and digests. */
  save(): readonly number[];
  /** Takes over what `save` gave. @throws Error on what it can't have given. */
  restore(words: readonly number[]): void;
}
