/**
 * Every event before every instruction of every stub: what comes of it is what bare hardware gives the same
 * guest at one of its own boundaries, and the later the event, the later the boundary.
 */
import { describe, expect, test } from 'vitest';
import { KERNEL_CS, USER_CODE, USER_CS, USER_DS, USER_STACK } from './support/guest.js';
import {
  FRAME_PAGE,
  GDT_STACK16_SELECTOR,
  type Happening,
  LANDING,
  LDT_STACK16,
  likeNative,
  type Scene,
} from './support/placement.js';

const IF = 0x200;
const VM = 0x20000;
const ABSENT_CS = 0x33;
const IRET = 39;
const SYSEXIT = 40;
const INSIDE = 0x18f00;

const TO_USER = [USER_CODE, USER_CS, IF | 2, USER_STACK, USER_DS];
const TO_KERNEL = [LANDING, KERNEL_CS, IF | 2];
const TO_VIRTUAL = [
  0x100,
  USER_CODE >> 4,
  VM | IF | 2,
  0x200,
  0x1a00,
  0x1111,
  0x2222,
  0x3333,
  0x4444,
];
const TO_LDT_STACK = [USER_CODE, USER_CS, IF | 2, 0x5a17a000, LDT_STACK16];
const TO_GDT_STACK = TO_LDT_STACK.with(4, GDT_STACK16_SELECTOR);

/** An IRET whose frame ends with the stack; or of which so many words lie before FRAME_PAGE. */
function iret(frame: readonly number[], wordsBefore = frame.length): Scene {
  return { call: IRET, frame, esp: FRAME_PAGE - 4 * wordsBefore };
}

const EXITS: readonly (readonly [string, Scene])[] = [
  ['IRET to user mode', iret(TO_USER)],
  ['IRET to user mode, with the frame on a page of its own', iret(TO_USER, 0)],
  ['IRET to user mode, with EIP alone on the first page', iret(TO_USER, 1)],
  ['IRET to user mode, with CS and EIP on the first page', iret(TO_USER, 2)],
  ['IRET to user mode, with SS and ESP on the second page', iret(TO_USER, 3)],
  ['IRET to user mode with interrupts closed', iret(TO_USER.with(2, 2))],
  ['IRET to the kernel', { call: IRET, frame: TO_KERNEL, esp: INSIDE }],
  ['IRET to the kernel, with EIP alone on the first page', iret(TO_KERNEL, 1)],
  ['IRET to a closed kernel', { call: IRET, frame: TO_KERNEL.with(2, 2), esp: INSIDE }],
  [
    'IRET from an open kernel to a closed one',
    { call: IRET, isOpen: true, frame: TO_KERNEL.with(2, 2), esp: INSIDE },
  ],
  ['IRET to virtual-8086 mode', iret(TO_VIRTUAL)],
  ['IRET to virtual-8086 mode, with three words on the first page', iret(TO_VIRTUAL, 3)],
  ['IRET to a 16-bit stack of the LDT', iret(TO_LDT_STACK)],
  ['IRET to a 16-bit stack of the LDT, with two words on the first page', iret(TO_LDT_STACK, 2)],
  ['IRET to a 16-bit stack of the GDT', iret(TO_GDT_STACK)],
  ['IRET to an absent segment', iret(TO_USER.with(1, ABSENT_CS))],
  ['IRET to a null stack', iret(TO_USER.with(4, 0))],
  ['SYSEXIT', { call: SYSEXIT, registers: { 1: USER_STACK, 2: USER_CODE } }],
  ['SYSEXIT', { call: SYSEXIT, isOpen: true, registers: { 1: USER_STACK, 2: USER_CODE } }],
];

const SUBROUTINES: readonly (readonly [string, Scene])[] = [
  ['CPUID', { call: 5, registers: { 0: 1 } }],
  ['UpdateKernelStack', { call: 19, registers: { 0: 0x14000, 2: 0x18800 } }],
  ['EnableInterrupts', { call: 35 }],
  ['DisableInterrupts', { call: 36 }],
  ['GetInterruptMask', { call: 37, eax: IF }],
  ['SetInterruptMask of 1', { call: 38, registers: { 0: IF | 2 } }],
  ['SetInterruptMask of 0', { call: 38, registers: { 0: 2 } }],
  ['Halt', { call: 42 }],
];
const OPEN_OR_NOT = SUBROUTINES.flatMap(([name, scene]) => [
  [`${name} with interrupts closed`, scene] as const,
  [`${name} with interrupts open`, { ...scene, isOpen: true }] as const,
]);
const WITH_IOPL = [
  ['SetIOPLMask with interrupts closed', { call: 71, registers: { 0: 0x1002 } }],
  ['SetIOPLMask with interrupts open', { call: 71, isOpen: true, registers: { 0: 0x3202 } }],
] as const;

const HAPPENINGS: readonly Happening[] = ['irq', 'nmi', 'exception', 'frame page', 'user page'];

/** Each place is like one on bare hardware, in order, and the first is like the first. */
function expectNative(
  scene: Scene,
  under: Parameters<typeof likeNative>[1],
  what: Happening,
): void {
  const places = likeNative(scene, under, what);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBe(0);
  expect(places.length).toBeGreaterThan(2);
}

describe.each([
  ['inline', false],
  ['rom', true],
] as const)('%s', (_dialect, isRom) => {
  const under = { scheme: 'rollforward', isRom } as const;

  describe.each(EXITS)('%s', (_name, scene) => {
    test.each(HAPPENINGS)('%s', (what) => expectNative(scene, under, what));
    // TF that is set before anything of the IRET traps behind it, wherever in the stub it is set.
    if (scene.call === IRET) test('step', () => expectNative(scene, under, 'step'));
  });

  describe.each([...OPEN_OR_NOT, ...WITH_IOPL])('%s', (_name, scene) => {
    test.each(['irq', 'nmi', 'exception'] as const)('%s', (what) =>
      expectNative(scene, under, what),
    );
  });
});

describe.each(['rollback', 'fold', 'defer'] as const)('%s', (scheme) => {
  // What they make of an interrupt otherwise is in schemes.test.ts: their limits are known.
  const under = { scheme, isRom: false };
  const odd = EXITS.filter(([name]) => /virtual-8086|LDT/.test(name));
  const whole = EXITS.filter(([name]) => !/closed|absent|null|SYSEXIT/.test(name));
  // Folding has the handler run wherever the frame lies, with whatever data segments there are.
  const atTop = whole.filter(([name]) => scheme !== 'fold' || !/page|virtual-8086/.test(name));

  test.each(odd)('irq: %s', (_name, scene) => expectNative(scene, under, 'irq'));
  test.each(atTop)('nmi: %s', (_name, scene) => expectNative(scene, under, 'nmi'));
  test.each(whole)('exception: %s', (_name, scene) => expectNative(scene, under, 'exception'));
  test.each(whole)('frame page: %s', (_name, scene) => expectNative(scene, under, 'frame page'));
});
