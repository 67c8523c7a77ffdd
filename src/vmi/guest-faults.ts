/** Faults that come to the hypervisor: which of them are no matter of the guest's, and what answers them. */
import type { Decoded } from '../cpu/decoder/decode.js';
import { EFLAGS_VM } from '../cpu/eflags.js';
import { VECTOR_GP } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import type { Site } from './annotations.js';
import type { CallNoter } from './call-log.js';
import { CALL_RDMSR, CALL_WRMSR } from './calls.js';
import type { Dialect } from './dialect.js';
import { emulatePrivileged, emulateUserIo, enterBySysenter, type GuestCpu } from './emulate.js';
import { decodeAtEip } from './guest-code.js';
import { KERNEL_CPL } from './layout.js';
import type { PublishedRegion } from './published-region.js';
import type { Reflection } from './reflection.js';
import type { RegionExits } from './region-exits.js';
import { finishSysexit, serve } from './serve.js';

const OPCODE_SYSENTER = 0x0f34;
const OPCODE_WRMSR = 0x0f30;
const OPCODE_RDMSR = 0x0f32;

/** What answers a guest's faults. */
export interface FaultParts {
  readonly cpu: GuestCpu;
  readonly published: PublishedRegion;
  readonly exits: RegionExits;
  readonly reflection: Reflection;
  /** Patched places in the guest, by their address. */
  readonly sites: ReadonlyMap<number, Site>;
  readonly dialect: Dialect | null;
  readonly note: CallNoter;
}

export class GuestFaults {
  readonly #parts: FaultParts;

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  /** Answers a fault that is no matter of the guest's. @returns false where it is. */
  handles(vector: number, errorCode: number): boolean {
    const { cpu, published, exits, reflection, dialect } = this.#parts;
    const { state } = cpu.core;
    if (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) return false;
    const isKernel = state.cpl === KERNEL_CPL;
    const stage = isKernel ? published.stage : undefined;
    const request = isKernel ? published.request : undefined;
    if (stage !== undefined && request === undefined) return exits.iretFaulted(stage, vector);
    return reflection.guarded(() => {
      if (request === undefined && dialect?.handles(vector)) return true;
      if (vector !== VECTOR_GP) return false;
      if (request !== undefined) {
        serve(cpu, request, stage, this.#parts.note);
        return true;
      }
      if (isKernel && published.isAtSysexit) {
        finishSysexit(cpu, this.#parts.note);
        return true;
      }
      const decoded = decodeAtEip(cpu.core);
      if (isKernel) return this.#emulate(decoded, errorCode);
      if (decoded.instruction.opcode === OPCODE_SYSENTER) return enterBySysenter(cpu);
      return errorCode === 0 && emulateUserIo(cpu, decoded);
    });
  }

  #emulate(decoded: Decoded, errorCode: number): boolean {
    const { cpu, published, sites, note } = this.#parts;
    const { state } = cpu.core;
    const { opcode } = decoded.instruction;
    const site = sites.get(published.linearEip);
    const args = opcode === OPCODE_WRMSR ? [L.ECX, L.EAX, L.EDX] : [L.ECX];
    const values = args.map((register) => state.get(register));
    if (!emulatePrivileged(cpu, decoded, errorCode)) return false;
    const { number } = site?.call ?? {};
    if (opcode === OPCODE_WRMSR && number === CALL_WRMSR) {
      note(number, site!.address | 0, values, null);
    } else if (opcode === OPCODE_RDMSR && number === CALL_RDMSR) {
      note(number, site!.address | 0, values, state.get(L.EAX));
    }
    return true;
  }
}
