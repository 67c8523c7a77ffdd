/**
 * What the calls of the ROM do that no single native instruction does. Those that one does are in the
 * ROM as that instruction, which traps and is emulated.
 */
import * as L from '../../cpu/state-layout.js';
import type { Machine } from '../../machine/machine.js';
import { emulatePrivileged, type GuestCpu, readStack } from '../emulate.js';
import { decodeBytes } from '../guest-code.js';
import { type RomClock, unsigned64 } from './alarms.js';
import { LAZY_CPU, type PageUpdates } from './page-updates.js';
import { CALL_SET_PXE, CALL_SET_PXE_LONG } from './rom-calls.js';
import {
  reloadSegments,
  setGdt,
  setIdt,
  setKernelStack,
  storePointer,
  writeEntry,
} from './table-calls.js';

/** One call under way, with what it may use. */
export interface Service {
  readonly cpu: GuestCpu;
  readonly machine: Machine;
  readonly pages: PageUpdates;
  readonly clock: RomClock;
  readonly eax: number;
  readonly edx: number;
  readonly ecx: number;
  /** Says that the call could not be served, and why: once for each call. */
  refuse(reason: string): void;
}

/** LLDT AX. */
const LLDT = [0x0f, 0x00, 0xd0];
const DEBUG_REGISTERS = 8;
const APIC_PAGE = 0xfff;
/** The keyboard controller's port for commands, and the one that pulls the processor's RESET. */
const PORT_COMMAND = 0x64;
const COMMAND_RESET = 0xfe;

/**
 * Serves a call.
 * @returns EAX, its result; null where it has none; `native` where its stub is the native instruction.
 * @throws fault what the call does, with nothing changed.
 */
export function serve(service: Service, number: number): number | null | 'native' {
  const { cpu, machine, pages, clock, eax, edx, ecx } = service;
  const { core, guest } = cpu;
  switch (number) {
    case 3: // SetGDT
      setGdt(cpu, eax);
      return null;
    case 4: // SetLDT
      native(service, LLDT);
      reloadSegments(core);
      return null;
    case 5: // SetIDT
      setIdt(cpu, eax);
      return null;
    case 7: // GetGDT
      storePointer(core, eax, core.state.get(L.GDTR_LIMIT), guest.gdtBase);
      return null;
    case 9: // GetIDT
      storePointer(core, eax, guest.idtLimit, guest.idtBase);
      return null;
    case 11: // WriteGDTEntry, WriteLDTEntry, WriteIDTEntry
    case 12:
    case 13:
      writeEntry(core, eax, edx, ecx, stackWord(service, 0));
      return null;
    case 14: // UpdateKernelStack
      setKernelStack(cpu, eax, edx);
      return null;
    case 24: // SetDR: MOV DRn, EDX
      if (hasDebugRegister(service)) native(service, [0x0f, 0x23, 0xc2 | (eax << 3)]);
      return null;
    case 25: // GetDR: MOV EAX, DRn
      if (!hasDebugRegister(service)) return 0;
      native(service, [0x0f, 0x21, 0xc0 | (eax << 3)]);
      return core.state.get(L.EAX);
    case 36: // Reboot. INIT and RESET both end the run: what survives the one of them is nobody's to see.
      machine.ports.write(PORT_COMMAND, 1, COMMAND_RESET);
      return null;
    case CALL_SET_PXE:
      storeEntry(service, edx, null, ecx);
      return null;
    case CALL_SET_PXE_LONG:
      storeEntry(service, ecx, edx, stackWord(service, 0));
      return null;
    case 40: // UpdatePxE, UpdatePxELong: the guest has written, and the processor walks what it wrote.
    case 41:
      return null;
    case 42: // MachineToPhysical, PhysicalToMachine
    case 43:
      return eax;
    case 44: // AllocatePage
      if (!pages.register(eax, edx)) service.refuse('the page is no RAM');
      return null;
    case 45: // ReleasePage
      if (!pages.release(eax)) service.refuse('the page was not registered');
      return null;
    case 47: // FlushTLB
      core.mmu.flush();
      return null;
    case 48: // SetLinearMapping: a hint that nobody needs, since an entry is found by the guest's own tables.
      return null;
    case 62: // SetInitialAPState
      service.refuse('there is no other processor');
      return null;
    case 63: // APICWrite
      if (machine.apic === null) service.refuse('there is no local APIC');
      machine.apic?.write(eax & APIC_PAGE, 4, edx);
      return null;
    case 64: // APICRead
      if (machine.apic === null) service.refuse('there is no local APIC');
      return machine.apic?.read(eax & APIC_PAGE, 4) ?? 0;
    case 67: // GetCycleCounter
      return result64(service, BigInt(clock.counter(eax)));
    case 68: // SetAlarm
      setAlarm(service);
      return null;
    case 69: // CancelAlarm
      return Number(clock.cancel(eax));
    case 70: // GetWallclockTime
      return result64(service, clock.wallclock());
    case 71: // WallclockUpdated: nobody sets this clock.
      return 0;
    case 73: // SetLazyMode
      if (eax >>> 0 > LAZY_CPU) service.refuse('there is no such mode');
      else pages.lazyMode = eax;
      return null;
    default:
      return 'native';
  }
}

/** The n-th word behind the return address. @throws fault #PF. */
function stackWord(service: Service, index: number): number {
  return readStack(service.cpu.core, 4 + 4 * index);
}

/** Carries out a native instruction in the call's stead. @throws fault what it throws. */
function native(service: Service, code: readonly number[]): void {
  const { core } = service.cpu;
  const { eip } = core.state;
  emulatePrivileged(service.cpu, decodeBytes(core, code));
  core.state.eip = eip;
}

function hasDebugRegister(service: Service): boolean {
  if (service.eax >>> 0 < DEBUG_REGISTERS) return true;
  service.refuse('there is no such register');
  return false;
}

function storeEntry(service: Service, entry: number, high: number | null, flags: number): void {
  const page = service.pages.store(entry, service.eax, high, flags);
  if (!service.pages.isRegistered(page)) {
    service.refuse('AllocatePage was never told of the table; the entry is stored all the same');
  }
}

function setAlarm(service: Service): void {
  const { eax, edx, ecx, clock } = service;
  const period = unsigned64(stackWord(service, 0), stackWord(service, 1));
  if (!clock.set(eax, unsigned64(edx, ecx), period)) {
    service.refuse('it is wired to a local APIC, and there is none');
  }
}

/** Puts a result's upper half into EDX. @returns the other one. */
function result64(service: Service, value: bigint): number {
  service.cpu.core.state.set(L.EDX, Number(BigInt.asIntN(32, value >> 32n)));
  return Number(BigInt.asIntN(32, value));
}
