/**
 * The calls of API 3.0, by the number that `get_reloc` takes. In traces a call has the number that it has in
 * API 13, as those of annotated kernels do, or else one beyond them.
 */
import type { StubName } from '../calls.js';

/** Where an argument is: a register, or the n-th word behind the return address. */
export type Argument = 'eax' | 'edx' | 'ecx' | 0 | 1;

export interface RomCall {
  readonly number: number;
  /** The same call's number in API 13; null where it has none. */
  readonly slot: number | null;
  readonly name: string;
  readonly args: readonly Argument[];
  /** EAX is a result. */
  readonly hasResult: boolean;
}

/** Not numbered by the interface: where the ROM is entered. */
export const ENTRY_INIT = 0x80;
export const ENTRY_GET_RELOC = 0x88;

/** API 13 has numbers below this. */
const BEYOND_SLOTS = 128;

export const CALL_SET_PXE = 38;
export const CALL_SET_PXE_LONG = 39;

function call(
  number: number,
  slot: number | null,
  name: string,
  args: readonly Argument[] = [],
  hasResult = false,
): RomCall {
  return { number, slot, name, args, hasResult };
}

// biome-ignore format: table
export const ROM_CALLS: readonly RomCall[] = [
  call(0, 5, 'CPUID', ['eax', 'ecx']),
  call(1, 6, 'WRMSR', ['ecx', 'eax', 'edx']),
  call(2, 7, 'RDMSR', ['ecx'], true),
  call(3, 8, 'SetGDT', ['eax']),
  call(4, 9, 'SetLDT', ['eax']),
  call(5, 10, 'SetIDT', ['eax']),
  call(6, 11, 'SetTR', ['eax']),
  call(7, 12, 'GetGDT', ['eax']),
  call(8, 13, 'GetLDT', [], true),
  call(9, 14, 'GetIDT', ['eax']),
  call(10, 15, 'GetTR', [], true),
  call(11, 16, 'WriteGDTEntry', ['eax', 'edx', 'ecx', 0]),
  call(12, 17, 'WriteLDTEntry', ['eax', 'edx', 'ecx', 0]),
  call(13, 18, 'WriteIDTEntry', ['eax', 'edx', 'ecx', 0]),
  call(14, 19, 'UpdateKernelStack', ['eax', 'edx']),
  call(15, 20, 'SetCR0', ['eax']),
  call(16, 21, 'SetCR2', ['eax']),
  call(17, 22, 'SetCR3', ['eax']),
  call(18, 23, 'SetCR4', ['eax']),
  call(19, 24, 'GetCR0', [], true),
  call(20, 25, 'GetCR2', [], true),
  call(21, 26, 'GetCR3', [], true),
  call(22, 27, 'GetCR4', [], true),
  call(23, 29, 'WBINVD'),
  call(24, 30, 'SetDR', ['eax', 'edx']),
  call(25, 31, 'GetDR', ['eax'], true),
  call(26, 32, 'RDPMC', ['ecx'], true),
  call(27, 33, 'RDTSC', [], true),
  call(28, 34, 'CLTS'),
  call(29, 35, 'EnableInterrupts'),
  call(30, 36, 'DisableInterrupts'),
  call(31, 37, 'GetInterruptMask', [], true),
  call(32, 38, 'SetInterruptMask', ['eax']),
  call(33, 39, 'IRET'),
  call(34, 40, 'SYSEXIT', ['edx', 'ecx']),
  call(35, 42, 'Halt'),
  call(36, 43, 'Reboot', ['eax']),
  call(37, 44, 'Shutdown'),
  call(CALL_SET_PXE, 45, 'SetPxE', ['eax', 'edx', 'ecx']),
  call(CALL_SET_PXE_LONG, 48, 'SetPxELong', ['eax', 'edx', 'ecx', 0]),
  call(40, null, 'UpdatePxE', ['eax', 'edx']),
  call(41, null, 'UpdatePxELong', ['eax', 'edx']),
  call(42, null, 'MachineToPhysical', ['eax'], true),
  call(43, null, 'PhysicalToMachine', ['eax'], true),
  call(44, 53, 'AllocatePage', ['eax', 'edx', 'ecx', 0, 1]),
  call(45, 54, 'ReleasePage', ['eax', 'edx']),
  call(46, 55, 'InvalPage', ['eax']),
  call(47, 56, 'FlushTLB', ['eax']),
  call(48, 58, 'SetLinearMapping', ['eax', 'edx', 'ecx', 0]),
  call(49, 59, 'IN', ['edx'], true),
  call(50, 60, 'INB', ['edx'], true),
  call(51, 61, 'INW', ['edx'], true),
  call(52, 62, 'INS', ['edx']),
  call(53, 63, 'INSB', ['edx']),
  call(54, 64, 'INSW', ['edx']),
  call(55, 65, 'OUT', ['edx', 'eax']),
  call(56, 66, 'OUTB', ['edx', 'eax']),
  call(57, 67, 'OUTW', ['edx', 'eax']),
  call(58, 68, 'OUTS', ['edx']),
  call(59, 69, 'OUTSB', ['edx']),
  call(60, 70, 'OUTSW', ['edx']),
  call(61, 71, 'SetIOPLMask', ['eax']),
  call(62, 75, 'SetInitialAPState', ['eax', 'edx']),
  call(63, 76, 'APICWrite', ['eax', 'edx']),
  call(64, 77, 'APICRead', ['eax'], true),
  call(65, 78, 'IODelay'),
  call(66, 79, 'GetCycleFrequency', [], true),
  call(67, 80, 'GetCycleCounter', ['eax'], true),
  call(68, 81, 'SetAlarm', ['eax', 'edx', 'ecx', 0, 1]),
  call(69, 82, 'CancelAlarm', ['eax'], true),
  call(70, 83, 'GetWallclockTime', [], true),
  call(71, 84, 'WallclockUpdated', [], true),
  call(73, null, 'SetLazyMode', ['eax']),
  call(ENTRY_INIT, 4, 'Init', [], true),
  call(ENTRY_GET_RELOC, 85, 'GetRelocationInfo', ['eax']),
];

/** Calls that lead to the published region. */
export const REGION_CALLS: ReadonlyMap<number, StubName> = new Map([
  [0, 'cpuid'],
  [29, 'sti'],
  [30, 'cli'],
  [31, 'getInterruptMask'],
  [32, 'setInterruptMask'],
  [33, 'iret'],
  [34, 'sysexit'],
  [35, 'halt'],
  [61, 'setIopl'],
]);

const BY_NUMBER = new Map(ROM_CALLS.map((each) => [each.number, each]));
const BY_TRACE_NUMBER = new Map(ROM_CALLS.map((each) => [traceNumber(each), each]));

/** The call of a number, or null where nobody knows one. */
export function romCall(number: number): RomCall | null {
  return BY_NUMBER.get(number) ?? null;
}

/** The number that stands for a call in a trace. */
export function traceNumber(call: RomCall): number {
  return call.slot ?? BEYOND_SLOTS + call.number;
}

/** The call for which a number in a trace stands, or null. */
export function callInTrace(number: number): RomCall | null {
  return BY_TRACE_NUMBER.get(number) ?? null;
}
