/**
 * IRET onto a 16-bit stack: by the kernel's own workaround, natively and under the hypervisor, and by the
 * hypervisor alone; with an event before each instruction of the way.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type LoadedImage, loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { Session } from '../../src/replay/session.js';
import { installInline } from '../../src/vmi/install.js';
import { USER_CODE, USER_CS } from './support/guest.js';
import {
  FRAME_PAGE,
  GDT_STACK16_SELECTOR,
  KERNEL_STACK16,
  KERNEL_STACK16_SELECTOR,
  LDT_STACK16,
  lastPointer,
  likeNative,
  padded,
  type Scene,
  SITE,
  SITE_BYTES,
} from './support/placement.js';

const IF = 0x200;
const CLI = 36;
const IRET = 39;
const POINTER = 0x5a17a000;
/** Where on the kernel's 16-bit stack the frame goes, and the far pointer to there. */
const COPY = 0x800;
const FAR_POINTER = 0x13800;
const FRAME = [USER_CODE, USER_CS, IF | 2, POINTER, LDT_STACK16];

function dword(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

/** MOV EAX, [ESP + n]; MOV [address], EAX. */
function copyWord(n: number): number[] {
  return [0x8b, 0x44, 0x24, n, 0xa3, ...dword(KERNEL_STACK16 + COPY + n)];
}

/** What Linux 2.6.16 does at ldt_ss: the frame goes to a stack where ESP has the user's upper half. */
const WAY = [
  ...padded([0xfa]),
  ...[0x8b, 0x44, 0x24, 12], // MOV EAX, [ESP + 12]
  ...[0x66, 0xb8, COPY & 0xff, COPY >> 8], // MOV AX, COPY
  ...[0xa3, ...dword(FAR_POINTER)],
  ...[0x66, 0xc7, 0x05, ...dword(FAR_POINTER + 4), KERNEL_STACK16_SELECTOR, 0],
  ...[0, 4, 8, 12, 16].flatMap(copyWord),
  ...[0x0f, 0xb2, 0x25, ...dword(FAR_POINTER)], // LSS ESP, [FAR_POINTER]
];
const WORKAROUND: Scene = {
  call: IRET,
  isOpen: true,
  frame: FRAME,
  esp: FRAME_PAGE - 4 * FRAME.length,
  keepsUpperHalf: true,
  code: [...WAY, ...padded([0xcf])],
  sites: [
    { call: CLI, address: SITE, length: SITE_BYTES },
    { call: IRET, address: SITE + WAY.length, length: SITE_BYTES },
  ],
};

describe.each([
  ['inline', false],
  ['rom', true],
] as const)('under %s', (_name, isRom) => {
  const under = { scheme: 'rollforward', isRom } as const;

  test.each(['irq', 'nmi', 'exception', 'user page'] as const)(
    'the workaround is as on bare hardware, %s before each of its instructions',
    (what) => {
      const places = likeNative(WORKAROUND, under, what);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places[0]).toBe(0);
      // CLI, LSS and IRET are more than one step here, so there are more places than on bare hardware.
      expect(places.length).toBeGreaterThan(new Set(places).size);
    },
  );

  describe.each([
    ['LDT', LDT_STACK16],
    ['GDT', GDT_STACK16_SELECTOR],
  ] as const)('without a workaround, SS of the %s', (_table, ss) => {
    const scene: Scene = { ...WORKAROUND, frame: FRAME.with(4, ss) };
    const plain: Scene = { call: IRET, frame: scene.frame!, esp: scene.esp! };

    test.each(['irq', 'nmi'] as const)(
      'all of ESP is what the frame says, %s before any instruction notwithstanding',
      (what) => {
        const places = likeNative(plain, under, what).map((_, at) => at);
        expect(places.map((at) => lastPointer(plain, under, what, at))).toEqual(
          places.map(() => POINTER),
        );
      },
    );
  });
});

const SHORT = {
  name: 'window-short.elf',
  bytes: readFileSync(new URL('../../guest/window/window-short.elf', import.meta.url)),
};

/** guest/window, halfway. */
function window(isInline: boolean): {
  machine: Machine;
  loaded: LoadedImage;
  output: () => string;
} {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const loaded = loadImage(machine, SHORT, {});
  if (isInline) installInline(machine, SHORT, loaded, 'rollforward');
  let output = '';
  machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  return { machine, loaded, output: () => output };
}

describe.each([
  ['on bare hardware', false, 1],
  ['under the hypervisor', true, 2],
] as const)('guest/window %s', (_name, isInline, places) => {
  test.each(Array.from({ length: places }, (_, at) => at))(
    'comes back from an NMI on its 16-bit stack, %i steps behind the site of IRET',
    (steps) => {
      const { machine, loaded, output } = window(isInline);
      const session = new Session(machine, new RandomClock(3), {});
      const address = (name: string): number => loaded.symbols.address(name)!;
      const stopAt = (name: string): void => {
        machine.cpu.breakpoints = new Set([address(name)]);
        let exit = session.advance(Number.POSITIVE_INFINITY);
        while (exit === 'stopped') exit = session.advance(Number.POSITIVE_INFINITY);
        expect(exit).toBe('breakpoint');
        machine.cpu.breakpoints = new Set();
      };
      const count = (): number => machine.cpu.core.physical.read(address('nmis16'), 4);
      stopAt('restore16_iret');
      const before = count();
      session.advance(machine.cpu.instant + steps);
      machine.inject({ kind: 'nmi' });
      if (steps === 0) stopAt('nmi_16bit_stack');
      // One that comes within the stub is taken behind the IRET, on the 32-bit stack.
      session.advance(machine.cpu.instant + 40);
      expect(count() - before).toBe(steps === 0 ? 1 : 0);
      while (session.outcome === null) session.advance(Number.POSITIVE_INFINITY);
      expect(output()).toMatch(/\nDONE\n$/);
    },
  );
});
