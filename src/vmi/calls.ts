/**
 * The calls of the 2006 dialect (API 13) that are served, by the number that annotation records hold.
 */

/** How a site is made a call. `native`: it stays as it is, since it traps, or need not. */
export type Patch =
  | { readonly kind: 'native' }
  | { readonly kind: 'call'; readonly stub: StubName }
  /** MOV EAX from a shared word: five bytes, DS must be flat. */
  | { readonly kind: 'load-cr0' };

/** Code in the published region that a site calls. */
export type StubName =
  | 'iret'
  | 'sysexit'
  | 'sti'
  | 'cli'
  | 'getInterruptMask'
  | 'setInterruptMask'
  | 'halt'
  | 'cpuid'
  | 'updateKernelStack'
  | 'setIopl';

export interface VmiCall {
  readonly number: number;
  readonly name: string;
  /** The first bytes of the native instruction, which every site must begin with. */
  readonly opening: readonly number[];
  readonly patch: Patch;
}

export const CALL_CPUID = 5;
export const CALL_WRMSR = 6;
export const CALL_RDMSR = 7;
export const CALL_UPDATE_KERNEL_STACK = 19;
export const CALL_GET_CR0 = 24;
export const CALL_ENABLE_INTERRUPTS = 35;
export const CALL_DISABLE_INTERRUPTS = 36;
export const CALL_GET_INTERRUPT_MASK = 37;
export const CALL_SET_INTERRUPT_MASK = 38;
export const CALL_IRET = 39;
export const CALL_SYSEXIT = 40;
export const CALL_HALT = 42;
export const CALL_SET_IOPL_MASK = 71;

const native: Patch = { kind: 'native' };

function stub(name: StubName): Patch {
  return { kind: 'call', stub: name };
}

// biome-ignore format: table
export const VMI_CALLS: readonly VmiCall[] = [
  { number: CALL_CPUID, name: 'CPUID', opening: [0x0f, 0xa2], patch: stub('cpuid') },
  { number: CALL_WRMSR, name: 'WRMSR', opening: [0x0f, 0x30], patch: native },
  { number: CALL_RDMSR, name: 'RDMSR', opening: [0x0f, 0x32], patch: native },
  { number: CALL_UPDATE_KERNEL_STACK, name: 'UpdateKernelStack', opening: [0x89, 0x50, 0x04], patch: stub('updateKernelStack') },
  { number: CALL_GET_CR0, name: 'GetCR0', opening: [0x0f, 0x20, 0xc0], patch: { kind: 'load-cr0' } },
  { number: CALL_ENABLE_INTERRUPTS, name: 'EnableInterrupts', opening: [0xfb], patch: stub('sti') },
  { number: CALL_DISABLE_INTERRUPTS, name: 'DisableInterrupts', opening: [0xfa], patch: stub('cli') },
  { number: CALL_GET_INTERRUPT_MASK, name: 'GetInterruptMask', opening: [0x9c, 0x58], patch: stub('getInterruptMask') },
  { number: CALL_SET_INTERRUPT_MASK, name: 'SetInterruptMask', opening: [0x50, 0x9d], patch: stub('setInterruptMask') },
  { number: CALL_IRET, name: 'IRET', opening: [0xcf], patch: stub('iret') },
  { number: CALL_SYSEXIT, name: 'SYSEXIT', opening: [0xfb], patch: stub('sysexit') },
  { number: CALL_HALT, name: 'Halt', opening: [0xfb, 0xf4], patch: stub('halt') },
  { number: CALL_SET_IOPL_MASK, name: 'SetIOPLMask', opening: [0x50, 0x9d], patch: stub('setIopl') },
];

const BY_NUMBER = new Map(VMI_CALLS.map((call) => [call.number, call]));

/** The call of a number, or null where it isn't served. */
export function vmiCall(number: number): VmiCall | null {
  return BY_NUMBER.get(number) ?? null;
}
