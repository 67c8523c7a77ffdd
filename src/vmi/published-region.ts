/** The region that the guest calls, and where in it the guest is. */
import type { Core } from '../cpu/core.js';
import * as L from '../cpu/state-layout.js';
import { type IretScheme, SCHEME_TRAITS, type SchemeTraits } from './iret-stubs.js';
import { KERNEL_CPL, type Placement } from './layout.js';
import type { IretStage, Repair, Request } from './region-code.js';
import { buildRegion, type Region } from './stubs.js';

/** The region's IRET or SYSEXIT under way, and what is done about an interrupt there. */
export interface Exit {
  /** Null of a SYSEXIT. */
  readonly stage: IretStage | null;
  readonly repair: Repair;
}

/** One guest's region, for a scheme. It begins at its fixed place. */
export class PublishedRegion {
  readonly traits: SchemeTraits;
  readonly #core: Core;
  readonly #scheme: IretScheme;
  #region: Region;

  constructor(core: Core, scheme: IretScheme) {
    this.#core = core;
    this.#scheme = scheme;
    this.traits = SCHEME_TRAITS[scheme];
    this.#region = buildRegion(scheme);
  }

  get region(): Region {
    return this.#region;
  }

  /** Has the region be elsewhere from now on. Its bytes are the caller's to store. */
  place(placement: Placement): Region {
    this.#region = buildRegion(this.#scheme, placement);
    return this.#region;
  }

  /** CS:EIP as a linear address, unsigned. */
  get linearEip(): number {
    const { state } = this.#core;
    return (state.segmentBase(L.SEG_CS) + state.eip) >>> 0;
  }

  /** Where in the IRET stub EIP is; undefined where it is elsewhere. */
  get stage(): IretStage | undefined {
    return this.#region.iretStages.get(this.linearEip);
  }

  /** What the HLT at EIP asks for; undefined where there is none of the region's. */
  get request(): Request | undefined {
    return this.#region.requests.get(this.linearEip);
  }

  get isAtSysexit(): boolean {
    return this.linearEip === this.#region.sysexit;
  }

  /** The IRET or SYSEXIT that the guest's kernel is in; null where it is elsewhere. */
  get exit(): Exit | null {
    if (this.#core.state.cpl !== KERNEL_CPL) return null;
    const { stage } = this;
    if (stage !== undefined) return { stage, repair: stage.repair };
    return this.isAtSysexit ? { stage: null, repair: this.traits.sysexit } : null;
  }
}
