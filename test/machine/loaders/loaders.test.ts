import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { readEflags } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import { type LoadImageOptions, loadImage } from '../../../src/machine/loaders/image.js';
import { Machine } from '../../../src/machine/machine.js';
import { UserError } from '../../../src/machine/user-error.js';
import { buildElf, ELF_OFFSETS, join, multibootHeader, words } from './image-builder.js';

const MIB = 1 << 20;
const TEXT = 0x100000;
const CODE = Uint8Array.of(0xf4, 0xeb, 0xfd);

let machine: Machine;

beforeEach(() => {
  machine = new Machine({ memoryBytes: 4 * MIB });
});

function load(bytes: Uint8Array, options: LoadImageOptions = {}): ReturnType<typeof loadImage> {
  return loadImage(machine, { name: 'kernel', bytes }, options);
}

const ram = (at: number, length: number): number[] => [
  ...machine.cpu.core.physical.ram.subarray(at, at + length),
];
const word = (at: number): number => machine.cpu.core.physical.read(at, 4) >>> 0;

function text(at: number): string {
  const bytes = machine.cpu.core.physical.ram;
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

function expectProtectedStart(): void {
  const { state } = machine.cpu.core;
  expect(state.cr0).toBe(0x11);
  expect(state.cpl).toBe(0);
  expect(readEflags(state)).toBe(2);
  expect(state.selector(L.SEG_CS)).toBe(0x08);
  expect(state.segmentAccess(L.SEG_CS)).toBe(0xc09b);
  for (const segment of [L.SEG_DS, L.SEG_ES, L.SEG_SS, L.SEG_FS, L.SEG_GS] as const) {
    expect(state.selector(segment)).toBe(0x10);
    expect(state.segmentBase(segment)).toBe(0);
    expect(state.segmentLimit(segment)).toBe(-1);
    expect(state.segmentAccess(segment)).toBe(0xc093);
  }
  expect(state.get(L.MODE)).toBe(L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_PROTECTED | L.MODE_FLAT);
}

describe('a plain ELF32 executable', () => {
  test('is loaded at its physical addresses, with what the file leaves out zeroed', () => {
    machine.cpu.core.physical.ram.fill(0xcc);
    const bytes = buildElf({
      entry: 0xc0100001,
      segments: [
        { address: 0xc0100000, physical: TEXT, bytes: CODE, memoryBytes: 6 },
        { address: 0x5000, bytes: Uint8Array.of(1, 2) },
      ],
    });
    const loaded = load(bytes);
    expect(loaded).toMatchObject({ kind: 'elf', entry: TEXT + 1 });
    expect(ram(TEXT, 7)).toEqual([...CODE, 0, 0, 0, 0xcc]);
    expect(ram(0x5000, 3)).toEqual([1, 2, 0xcc]);
    expectProtectedStart();
    expect(machine.cpu.core.state.eip).toBe(TEXT + 1);
    expect(machine.cpu.core.state.reg32(0)).toBe(0);
  });

  test('takes an entry that is given as a physical address', () => {
    const segments = [{ address: 0xc0100000, physical: TEXT, bytes: CODE }];
    expect(load(buildElf({ entry: TEXT, segments })).entry).toBe(TEXT);
  });

  test('has a stack that it can use', () => {
    load(buildElf({ entry: TEXT, segments: [{ address: TEXT, bytes: CODE }] }));
    const { esp } = machine.cpu.core.state;
    expect(esp & 15).toBe(0);
    expect(ram(esp - 4, 4)).toEqual([0, 0, 0, 0]);
    expect(esp).toBeLessThan(0xa0000);
  });

  test.each<[string, LoadImageOptions]>([
    ['--cmdline', { cmdline: 'debug' }],
    ['--initrd', { initrd: new Uint8Array(1) }],
  ])('has nobody to take %s', (option, options) => {
    const bytes = buildElf({ entry: TEXT, segments: [{ address: TEXT, bytes: CODE }] });
    expect(() => load(bytes, options)).toThrow(
      `kernel: is no Multiboot or Linux kernel, so there is nobody to take ${option}; leave it out`,
    );
  });
});

describe('symbols', () => {
  const segments = [{ address: TEXT, bytes: CODE, memoryBytes: 0x100 }];
  const symbols = [
    { name: 'start', value: TEXT, info: 0x10 },
    { name: 'sized', value: TEXT + 0x10, size: 4 },
    { name: 'local_twin', value: TEXT + 0x20, info: 0x00 },
    { name: 'twin', value: TEXT + 0x20, info: 0x10 },
    { name: 'constant', value: 42, info: 0x10, section: 0xfff1 },
    { name: 'file.c', value: TEXT, info: 0x04, section: 0xfff1 },
    { name: 'elsewhere', value: TEXT, info: 0x10, section: 0 },
  ];

  test('are found by address, with an offset, and by name', () => {
    const table = load(buildElf({ entry: TEXT, segments, symbols })).symbols;
    expect(table.lookup(TEXT + 5)).toEqual({ name: 'start', offset: 5 });
    expect(table.lookup(TEXT + 0x13)).toEqual({ name: 'sized', offset: 3 });
    expect(table.lookup(TEXT + 0x14), 'behind a symbol with a size').toBeNull();
    expect(table.lookup(TEXT + 0xff)).toEqual({ name: 'twin', offset: 0xdf });
    expect(table.lookup(TEXT + 0x100), 'behind the section').toBeNull();
    expect(table.lookup(TEXT - 1)).toBeNull();
    expect(table.lookup(42)).toBeNull();
    expect(table.address('constant')).toBe(42);
    expect(table.address('twin')).toBe(TEXT + 0x20);
    expect(table.address('file.c')).toBeNull();
    expect(table.address('elsewhere')).toBeNull();
  });

  test('that are broken are as good as none', () => {
    const bytes = buildElf({ entry: TEXT, segments, symbols });
    new DataView(bytes.buffer).setUint32(32, 0xfffffff0, true); // e_shoff
    expect(load(bytes).symbols.size).toBe(0);
  });
});

describe('a flat binary', () => {
  test('is loaded and entered at the address that is given', () => {
    expect(load(CODE, { address: 0x8000 })).toMatchObject({ kind: 'flat', entry: 0x8000 });
    expect(ram(0x8000, 3)).toEqual([...CODE]);
    expectProtectedStart();
    expect(machine.cpu.core.state.eip).toBe(0x8000);
  });

  test('is loaded and entered at 1 MiB where no address is given', () => {
    expect(load(CODE)).toMatchObject({ kind: 'flat', entry: 0x100000 });
    expect(ram(0x100000, 3)).toEqual([...CODE]);
  });

  test('can reload its segments from the GDT that it finds', () => {
    // mov $0x10,%ax; mov %ax,%ds; mov %ax,%ss; ljmp $8,$0x10000f; hlt
    load(
      Uint8Array.of(
        ...[0x66, 0xb8, 0x10, 0, 0x8e, 0xd8, 0x8e, 0xd0],
        ...[0xea, 0x0f, 0, 0x10, 0, 8, 0, 0xf4],
      ),
    );
    expect(machine.run(100)).toBe('halted');
    expectProtectedStart();
    expect(machine.cpu.core.state.eip).toBe(0x100010);
  });

  test.each<[string, string, number[]]>([
    ['a trace', 'a holdoff trace', [0xc4, 0x0e, ...Buffer.from('holdoff\n')]],
    ['text', 'text', [...Buffer.from('# The window, déjà vu\r\n\ttext\n')]],
    ['a compressed file', 'compressed (gzip)', [0x1f, 0x8b, 8, 0]],
    ['a zip archive', 'a zip archive', [0x50, 0x4b, 3, 4]],
    ['an object library', 'an archive of object files', [...Buffer.from('!<arch>\n')]],
  ])('%s is taken for one only where an address is given', (_, kind, bytes) => {
    expect(() => load(Uint8Array.from(bytes))).toThrow(`is ${kind}, no kernel; to run it`);
    expect(load(Uint8Array.from(bytes), { address: 0x8000 }).kind).toBe('flat');
  });

  test.each<[string, Uint8Array, LoadImageOptions, string]>([
    ['that is empty', new Uint8Array(0), { address: 0 }, 'is empty'],
    ['beyond RAM', CODE, { address: 4 * MIB - 2 }, 'beyond 4 MiB of RAM; give --memory 5M'],
    ['in the hole', CODE, { address: 0xa0000 - 1 }, 'hole between 640 KiB and 1 MiB'],
  ])('%s is refused', (_, bytes, options, message) => {
    expect(() => load(bytes, options)).toThrow(message);
  });
});

describe('a Multiboot image', () => {
  /** An ELF kernel whose first segment begins with a header. */
  const kernel = (flags = 0, ...fields: number[]): Uint8Array =>
    buildElf({
      entry: TEXT + 64,
      segments: [
        { address: TEXT, bytes: join(multibootHeader(flags, ...fields), new Uint8Array(64), CODE) },
      ],
      symbols: [{ name: 'start', value: TEXT + 64 }],
    });

  test('is entered with the magic number and the information structure', () => {
    const loaded = load(kernel(3), { cmdline: 'root=x quiet' });
    expect(loaded).toMatchObject({ kind: 'multiboot', entry: TEXT + 64 });
    expect(loaded.symbols.lookup(TEXT + 65)).toEqual({ name: 'start', offset: 1 });
    expectProtectedStart();
    const { state } = machine.cpu.core;
    expect(state.reg32(0)).toBe(0x2badb002);
    const info = state.reg32(3);
    expect(word(info)).toBe(0b10_0110_1101); // memory, cmdline, modules, ELF, map, loader name
    expect(word(info + 4)).toBe(640);
    expect(word(info + 8)).toBe(3 * 1024);
    expect(text(word(info + 16))).toBe('root=x quiet');
    expect(word(info + 20)).toBe(0);
    expect(text(word(info + 64))).toBe('holdoff');
  });

  test('gets a memory map without the hole below 1 MiB', () => {
    load(kernel());
    const info = machine.cpu.core.state.reg32(3);
    const entries: number[][] = [];
    const end = word(info + 48) + word(info + 44);
    for (let at = word(info + 48); at < end; at += word(at) + 4) {
      entries.push([word(at + 4), word(at + 8), word(at + 12), word(at + 16), word(at + 20)]);
    }
    expect(entries).toEqual([
      [0, 0, 0xa0000, 0, 1],
      [0xa0000, 0, 0x60000, 0, 2],
      [MIB, 0, 3 * MIB, 0, 1],
    ]);
  });

  test('gets the initrd as a page-aligned module behind itself', () => {
    load(kernel(), { initrd: Uint8Array.of(1, 2, 3) });
    const info = machine.cpu.core.state.reg32(3);
    expect(word(info + 20)).toBe(1);
    const module = word(info + 24);
    const first = word(module);
    expect(first % 4096).toBe(0);
    expect(first).toBeGreaterThan(TEXT);
    expect(word(module + 4)).toBe(first + 3);
    expect(text(word(module + 8))).toBe('initrd');
    expect(ram(first, 3)).toEqual([1, 2, 3]);
  });

  test('finds its section headers, with the addresses of symbols and strings filled in', () => {
    load(kernel());
    const info = machine.cpu.core.state.reg32(3);
    expect([word(info + 28), word(info + 32), word(info + 40)]).toEqual([4, 40, 3]);
    const table = word(info + 36);
    expect(word(table + 40 + 12), '.text stays').toBe(TEXT);
    const symbols = word(table + 80 + 12);
    const strings = word(table + 120 + 12);
    expect(word(symbols + 16 + 4)).toBe(TEXT + 64);
    expect(text(strings + word(symbols + 16))).toBe('start');
  });

  test('gets the text screen where it asks for a video mode', () => {
    load(kernel(4, 0, 0, 0, 0, 0, 0, 1024, 768, 32));
    const info = machine.cpu.core.state.reg32(3);
    expect(word(info) & (1 << 12)).not.toBe(0);
    expect([88, 96, 100, 104].map((at) => word(info + at))).toEqual([0xb8000, 160, 80, 25]);
    expect(ram(info + 108, 2)).toEqual([16, 2]);
  });

  test('nothing that is handed over lies where the kernel is', () => {
    const low = buildElf({
      entry: 0x10040,
      segments: [
        {
          address: 0x10000,
          bytes: join(multibootHeader(0), new Uint8Array(64)),
          memoryBytes: 0x30000,
        },
        { address: TEXT, bytes: CODE, memoryBytes: 0x100000 },
      ],
    });
    load(low, { initrd: new Uint8Array(10) });
    const { state } = machine.cpu.core;
    expect(state.reg32(3)).toBeGreaterThanOrEqual(0x40000);
    expect(state.esp - 4096).toBeGreaterThanOrEqual(0x40000);
    expect(word(word(state.reg32(3) + 24))).toBeGreaterThanOrEqual(TEXT + 0x100000);
  });

  describe('with addresses in the header', () => {
    const flat = (load_: number, loadEnd: number, bssEnd: number, entry: number): Uint8Array =>
      join(
        new Uint8Array(16).fill(0x90),
        multibootHeader(0x10000, TEXT + 16, load_, loadEnd, bssEnd, entry),
        CODE,
      );

    test('is loaded by them, with bss zeroed', () => {
      machine.cpu.core.physical.ram.fill(0xcc);
      const bytes = flat(TEXT, 0, TEXT + 100, TEXT + 48);
      expect(load(bytes)).toMatchObject({ kind: 'multiboot', entry: TEXT + 48 });
      expect(ram(TEXT, 16)).toEqual(new Array(16).fill(0x90));
      expect(ram(TEXT + 48, 3)).toEqual([...CODE]);
      expect(ram(TEXT + 51, 49)).toEqual(new Array(49).fill(0));
      expect(ram(TEXT + 100, 1)).toEqual([0xcc]);
    });

    test('may leave out what lies before the header and behind load_end_addr', () => {
      machine.cpu.core.physical.ram.fill(0xcc);
      load(flat(TEXT + 16, TEXT + 49, 0, TEXT + 48));
      expect(ram(TEXT + 15, 1)).toEqual([0xcc]);
      expect(ram(TEXT + 48, 2)).toEqual([0xf4, 0xcc]);
    });

    test.each<[string, Uint8Array, string]>([
      ['load_addr above header_addr', flat(TEXT + 20, 0, 0, TEXT + 48), 'does not fit header_addr'],
      ['load_addr before the file', flat(TEXT - 4, 0, 0, TEXT + 48), 'does not fit header_addr'],
      ['more data than the file has', flat(TEXT, TEXT + 999, 0, TEXT + 48), 'needs 999 bytes'],
      ['an end before the beginning', flat(TEXT, TEXT - 1, 0, TEXT + 48), 'lies below load_addr'],
      ['bss that ends inside the data', flat(TEXT, 0, TEXT + 3, TEXT + 48), 'below the end'],
      ['an entry outside', flat(TEXT, 0, 0, TEXT + 51), 'lies outside the image'],
      ['bss beyond RAM', flat(TEXT, 0, 0xffffffff, TEXT + 48), 'beyond 4 MiB of RAM'],
    ])('%s is refused', (_, bytes, message) => {
      expect(() => load(bytes)).toThrow(message);
    });
  });

  test('is found by a header at any multiple of 4 that ends within 8192 bytes', () => {
    const at = (offset: number): Uint8Array =>
      join(new Uint8Array(offset), multibootHeader(0x10000, TEXT, TEXT, 0, 0, TEXT + 32), CODE);
    expect(load(at(8192 - 32)).kind).toBe('multiboot');
    expect(load(at(8192 - 28), { address: 0x8000 }).kind).toBe('flat');
    expect(load(at(6), { address: 0x8000 }).kind).toBe('flat');
  });

  test('is not taken for one when the checksum is wrong', () => {
    const bytes = join(words(0x1badb002, 0, 1), CODE);
    expect(load(bytes, { address: 0x8000 }).kind).toBe('flat');
  });

  test('that insists on an unknown feature is refused; an unknown wish is not', () => {
    expect(() => load(kernel(0x0010))).toThrow('insists on features 0x10');
    expect(load(kernel(0x00020000)).kind).toBe('multiboot');
  });

  test('needs either ELF or addresses', () => {
    expect(() => load(join(multibootHeader(0), CODE))).toThrow('without load addresses');
  });
});

describe('a broken or foreign ELF image', () => {
  const sound = (): Uint8Array =>
    buildElf({ entry: TEXT, segments: [{ address: TEXT, bytes: CODE }] });

  function broken(at: number, ...bytes: number[]): Uint8Array {
    const image = sound();
    image.set(bytes, at);
    return image;
  }
  const header = ELF_OFFSETS.programHeaders;

  test.each<[string, Uint8Array, string]>([
    ['of 64 bits', broken(ELF_OFFSETS.class, 2), 'not a 32-bit little-endian one'],
    ['for another machine', broken(ELF_OFFSETS.machine, 40), 'for machine 40'],
    ['that is relocatable', broken(ELF_OFFSETS.type, 1), 'of type 1, not an executable'],
    ['that is position-independent', broken(ELF_OFFSETS.type, 3), 'of type 3'],
    ['without program headers', broken(44, 0, 0), 'no program headers'],
    ['with odd program headers', broken(42, 31), 'program headers of 31 bytes'],
    ['with no segment', broken(header, 2), 'no segment to load'],
    ['cut off in the header', sound().slice(0, 40), 'ELF header: needs'],
    ['cut off in a segment', sound().slice(0, -1), 'program header 0: needs 3 bytes'],
    ['with more headers than bytes', broken(44, 0xff, 0xff), 'program header 1: needs'],
    ['with more in file than in memory', broken(header + 20, 2), '3 bytes in the file but 2'],
    ['entered outside', broken(24, 0x99), 'lies in no loaded segment'],
    ['at the end of the address space', broken(header + 12, 0xfe, 0xff, 0xff, 0xff), 'beyond'],
  ])('%s is refused in one line', (_, bytes, message) => {
    expect(() => load(bytes)).toThrow(UserError);
    expect(() => load(bytes)).toThrow(message);
    expect(() => load(bytes)).not.toThrow('\n');
  });

  test('the message names the image, the segment, and what to do', () => {
    const segments = [
      { address: TEXT, bytes: CODE },
      { address: 0x3ffff0, bytes: CODE, memoryBytes: 0x100000 },
    ];
    expect(() => load(buildElf({ entry: TEXT, segments }))).toThrow(
      'kernel: program header 1: segment at 0x3ffff0 (1048576 bytes) reaches beyond 4 MiB of RAM; give --memory 5M or more',
    );
  });

  test('whatever bytes it has, it is loaded or refused as the user’s error', () => {
    const image = buildElf({
      entry: TEXT,
      segments: [{ address: TEXT, bytes: join(multibootHeader(3), CODE) }],
      symbols: [{ name: 'start', value: TEXT }],
    });
    const change = fc.tuple(fc.nat(image.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(9), (changes, cut) => {
        const bytes = image.slice(0, cut === 0 ? image.length >> 1 : image.length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          load(bytes, { address: 0x8000 });
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
