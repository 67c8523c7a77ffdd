import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { readEflags } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import { type LoadImageOptions, loadImage } from '../../../src/machine/loaders/image.js';
import { Machine } from '../../../src/machine/machine.js';
import { UserError } from '../../../src/machine/user-error.js';
import { buildBzImage, type TestBzImage } from './image-builder.js';

const MIB = 1 << 20;
const KERNEL = MIB;
/** HLT. */
const CODE = Uint8Array.of(0xf4);

let machine: Machine;

beforeEach(() => {
  machine = new Machine({ memoryBytes: 8 * MIB });
});

function load(bytes: Uint8Array, options: LoadImageOptions = {}): ReturnType<typeof loadImage> {
  return loadImage(machine, { name: 'vmlinuz', bytes }, options);
}

const loadLinux = (linux: Partial<TestBzImage> = {}, options: LoadImageOptions = {}): number =>
  load(buildBzImage({ kernel: CODE, ...linux }), options).entry;

const ram = (at: number, length: number): number[] => [
  ...machine.cpu.core.physical.ram.subarray(at, at + length),
];
const word = (at: number): number => machine.cpu.core.physical.read(at, 4) >>> 0;
/** A field of the boot parameters, which ESI points at. */
const parameter = (offset: number): number => word(machine.cpu.core.state.get(L.ESI) + offset);

describe('a bzImage', () => {
  test('is entered at 1 MiB by the 32-bit boot protocol', () => {
    const loaded = load(buildBzImage({ kernel: CODE }));
    expect(loaded).toMatchObject({ kind: 'linux', entry: KERNEL });
    const { state } = machine.cpu.core;
    expect(ram(KERNEL, 1)).toEqual([0xf4]);
    expect(state.eip).toBe(KERNEL);
    expect(state.cr0).toBe(0x11);
    expect(readEflags(state)).toBe(2);
    expect(state.selector(L.SEG_CS)).toBe(0x10);
    for (const segment of [L.SEG_DS, L.SEG_ES, L.SEG_SS] as const) {
      expect(state.selector(segment)).toBe(0x18);
      expect(state.segmentLimit(segment)).toBe(-1);
    }
    for (const register of [L.EBX, L.EBP, L.EDI]) expect(state.get(register)).toBe(0);
  });

  test('can reload its segments from the GDT that it finds', () => {
    // mov $0x18,%ax; mov %ax,%ds; mov %ax,%ss; ljmp $0x10,$0x10000f; hlt
    const kernel = Uint8Array.of(
      ...[0x66, 0xb8, 0x18, 0, 0x8e, 0xd8, 0x8e, 0xd0],
      ...[0xea, 0x0f, 0, 0x10, 0, 0x10, 0, 0xf4],
    );
    loadLinux({ kernel });
    expect(machine.run(100)).toBe('halted');
    expect(machine.cpu.core.state.eip).toBe(0x100010);
  });

  test('finds its setup header, the loader’s number and the memory map in the boot parameters', () => {
    loadLinux();
    expect(parameter(0x202)).toBe(0x53726448);
    expect(parameter(0x210) & 0xff).toBe(0xff);
    expect(parameter(0x214)).toBe(KERNEL);
    expect(parameter(0x1e0), 'KiB above 1 MiB').toBe(7 * 1024);
    expect(parameter(0x1e8) & 0xff).toBe(3);
    const map = Array.from({ length: 3 }, (_, index) =>
      [0, 8, 16].map((field) => parameter(0x2d0 + index * 20 + field)),
    );
    expect(map).toEqual([
      [0, 0xa0000, 1],
      [0xa0000, 0x60000, 2],
      [MIB, 7 * MIB, 1],
    ]);
  });

  test('gets its command line, and without one an empty line', () => {
    loadLinux({}, { cmdline: 'console=ttyS0' });
    expect(Buffer.from(ram(parameter(0x228), 14)).toString()).toBe('console=ttyS0\0');
    loadLinux();
    expect(ram(parameter(0x228), 1)).toEqual([0]);
  });

  test('gets its initrd at the top of memory, page by page', () => {
    const initrd = new Uint8Array(5000).fill(7);
    loadLinux({}, { initrd });
    const at = parameter(0x218);
    expect(at).toBe(8 * MIB - 8192);
    expect(parameter(0x21c)).toBe(5000);
    expect(ram(at, 5001)).toEqual([...initrd, 0]);
  });

  test('gets its initrd no higher than it can reach', () => {
    loadLinux({ initrdAddressMax: 4 * MIB - 1 }, { initrd: new Uint8Array(4096) });
    expect(parameter(0x218)).toBe(4 * MIB - 4096);
  });

  test('has no initrd where none was given', () => {
    loadLinux();
    expect([parameter(0x218), parameter(0x21c)]).toEqual([0, 0]);
  });
});

describe('a bzImage that cannot be started', () => {
  const initrd = new Uint8Array(2 * MIB);
  const zImage = buildBzImage({ kernel: CODE });
  zImage[0x211] = 0;

  test.each<[string, Uint8Array, LoadImageOptions, string]>([
    [
      'too old',
      buildBzImage({ kernel: CODE, version: 0x205 }),
      {},
      'vmlinuz: is a Linux kernel with boot protocol 2.05, and 2.06 is the oldest',
    ],
    ['for low memory', zImage, {}, 'is a zImage'],
    ['without its kernel', buildBzImage({ kernel: new Uint8Array(0) }), {}, 'ends with its setup'],
    [
      'cut off in its header',
      buildBzImage({ kernel: CODE }).slice(0, 0x260),
      {},
      'cut off or broken',
    ],
    [
      'that decompresses beyond RAM',
      buildBzImage({ kernel: CODE, initSize: 9 * MIB }),
      {},
      'beyond 8 MiB of RAM; give --memory 10M or more',
    ],
    [
      'that likes to lie beyond RAM',
      buildBzImage({ kernel: CODE, preferredAddress: 16 * MIB }),
      {},
      'give --memory 17M or more',
    ],
    [
      'with a long command line',
      buildBzImage({ kernel: CODE }),
      { cmdline: 'x'.repeat(256) },
      'at most 255 bytes, and --cmdline has 256; shorten it',
    ],
    [
      'with no room for its initrd',
      buildBzImage({ kernel: CODE, initSize: 6 * MIB }),
      { initrd },
      'no room for the initrd (2097152 bytes)',
    ],
  ])('%s is refused in one line', (_, bytes, options, message) => {
    expect(() => load(bytes, options)).toThrow(UserError);
    expect(() => load(bytes, options)).toThrow(message);
    expect(() => load(bytes, options)).not.toThrow('\n');
  });

  test('whatever bytes its header has, it is loaded or refused as the user’s error', () => {
    const change = fc.tuple(fc.integer({ min: 0x1f1, max: 0x264 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = buildBzImage({ kernel: CODE });
        for (const [at, value] of changes) bytes[at] = value;
        try {
          load(bytes, { address: 0x8000, initrd: new Uint8Array(1) });
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
