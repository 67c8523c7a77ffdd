/** The ROM as kernels look at it, and what it is built from. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import type { Machine } from '../../src/machine/machine.js';
import { UserError } from '../../src/machine/user-error.js';
import { callName } from '../../src/vmi/call-names.js';
import { HOLE, REAL_GDT } from '../../src/vmi/layout.js';
import { CYCLES_PER_SECOND } from '../../src/vmi/rom/alarms.js';
import { ROM_CALLS, romCall, traceNumber } from '../../src/vmi/rom/rom-calls.js';
import { parseRom, ROM, ROM_BYTES } from '../../src/vmi/rom/rom-image.js';
import { IRET_SCHEMES } from '../../src/vmi/stubs.js';
import { hasBinutils, hasMake, make } from '../guest/toolchain.js';
import { RomCaller } from './support/rom-caller.js';
import { CALLER_IMAGE, ROM_IMAGE, romMachine } from './support/rom-machine.js';

/** The ROM in a machine. */
function rom(scheme: (typeof IRET_SCHEMES)[number] = 'rollforward'): DataView {
  const { machine } = romMachine(scheme);
  const { ram } = machine.cpu.core.physical;
  return new DataView(ram.buffer, ram.byteOffset + ROM, ROM_BYTES);
}

function text(view: DataView, at: number): string {
  let found = '';
  for (let next = at; view.getUint8(next) !== 0; next++) {
    found += String.fromCharCode(view.getUint8(next));
  }
  return found;
}

describe('the header', () => {
  const view = rom();

  test('is that of an option ROM, on a boundary of 2 KiB, and its sum is 0', () => {
    expect(ROM % 2048).toBe(0);
    expect(view.getUint16(0, true)).toBe(0xaa55);
    expect(view.getUint8(2) * 512).toBe(ROM_BYTES);
  });

  test.each(IRET_SCHEMES)('has a sum of 0 with the published region of %s', (scheme) => {
    const view = rom(scheme);
    let sum = 0;
    for (let at = 0; at < ROM_BYTES; at++) sum += view.getUint8(at);
    expect(sum & 0xff).toBe(0);
  });

  test('returns to a BIOS that calls it', () => {
    expect(view.getUint8(3)).toBe(0xcb);
  });

  test('says API 3.0, the hole, and its licence', () => {
    expect(view.getUint32(8, true)).toBe(0x696d5663);
    expect([view.getUint8(0x0c), view.getUint8(0x0d)]).toEqual([0, 3]);
    expect(view.getUint32(0x10, true)).toBe(HOLE);
    expect(text(view, view.getUint16(0x16, true))).toBe('GPL');
  });

  test('leads to a PCI data structure and to a Plug and Play header', () => {
    const pci = view.getUint16(0x18, true);
    expect(view.getUint32(pci, true)).toBe(0x52494350);
    expect([view.getUint16(pci + 4, true), view.getUint16(pci + 6, true)]).toEqual([0x15ad, 0x801]);
    expect(view.getUint16(pci + 0x10, true) * 512).toBe(ROM_BYTES);
    expect(view.getUint8(pci + 0x15)).toBe(0x80);
    const pnp = view.getUint16(0x1a, true);
    expect(view.getUint32(pnp, true)).toBe(0x506e5024);
    expect(text(view, view.getUint16(pnp + 0x0e, true))).toBe('holdoff');
    expect(text(view, view.getUint16(pnp + 0x10, true))).toBe('VMI ROM');
  });

  test('has its two entries at 80h and 88h', () => {
    // Short jumps.
    expect([view.getUint8(0x80), view.getUint8(0x88)]).toEqual([0xeb, 0xeb]);
  });
});

describe('get_reloc', () => {
  const guest = new RomCaller();
  const find = (number: number): { address: number; type: number; ebx: number } => {
    guest.goTo(0, { eax: number });
    // CALL EAX of get_reloc with the number in EAX: by hand, the return address on the stack.
    const back = guest.address('behind0');
    guest.state.esp = (guest.state.esp - 4) | 0;
    guest.write(guest.state.esp >>> 0, back);
    guest.state.eip = 0xc00c8088 | 0;
    guest.runTo(back);
    const { state } = guest;
    return {
      address: state.reg32(0) >>> 0,
      type: state.reg32(2),
      ebx: state.reg32(3),
    };
  };

  test('knows every call, each at an address of its own in the ROM, as one to CALL', () => {
    const numbers = ROM_CALLS.filter(({ number }) => number < 0x80).map(({ number }) => number);
    const found = numbers.map(find);
    expect(new Set(found.map(({ type }) => type))).toEqual(new Set([1]));
    expect(new Set(found.map(({ address }) => address)).size).toBe(numbers.length);
    for (const { address } of found) {
      expect(address).toBeGreaterThan(0xc00c8090);
      expect(address).toBeLessThan(0xc00c8000 + ROM_BYTES);
    }
    expect(new Set(found.map(({ ebx }) => ebx)).size).toBe(1);
  });

  test.each([72, 74, 1000, 0xffffffff])('has none for %i', (number) => {
    expect(find(number)).toMatchObject({ address: 0, type: 0 });
  });
});

describe('what is no such ROM', () => {
  test.each([
    ['another file', CALLER_IMAGE.bytes],
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(ROM_BYTES)],
    [
      'a header that leads beyond it',
      Uint8Array.from(ROM_IMAGE.bytes, (byte, at) => (at === 0x25 ? 0xff : byte)),
    ],
    [
      'a table beyond it',
      Uint8Array.from(ROM_IMAGE.bytes, (byte, at) => (at === 0x23 ? 0xff : byte)),
    ],
  ])('is refused in one line: %s', (_name, bytes) => {
    expect(() => parseRom('some.bin', bytes)).toThrow(UserError);
    expect(() => parseRom('some.bin', bytes)).toThrow(/^some\.bin is no ROM[^\n]*$/);
  });
});

test('no two calls have the same number in a trace, and each has its name there', () => {
  const numbers = ROM_CALLS.map(traceNumber);
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const call of ROM_CALLS) expect(callName(traceNumber(call))).toBe(call.name);
});

test('the numbers of calls are those of their places in the table', () => {
  for (const [, number] of parseRom(ROM_IMAGE.name, ROM_IMAGE.bytes).calls) {
    expect(romCall(number)).not.toBeNull();
  }
});

test('the frequency that the ROM answers is that of the counter', () => {
  expect(new RomCaller().call(66).eax).toBe(CYCLES_PER_SECOND);
});

describe('Init', () => {
  /** What Init answers a guest at CPL 0 without paging, and the CPL that it leaves the guest at. */
  function init(prepare: (machine: Machine) => void): { eax: number; cpl: number; base: number } {
    const { machine } = romMachine();
    const { core } = machine.cpu;
    // CALL to 0C8080h; JMP to itself.
    core.physical.load(0x10000, Uint8Array.of(0xe8, 0x7b, 0x80, 0x0b, 0, 0xeb, 0xfe));
    core.state.esp = 0x20000;
    core.state.eip = 0x10000;
    prepare(machine);
    machine.run(machine.cpu.instant + 20);
    const { state } = core;
    return { eax: state.reg32(0), cpl: state.cpl, base: state.get(L.GDTR_BASE) };
  }

  test('takes a flat guest without paging', () => {
    expect(init(() => undefined)).toEqual({ eax: 0, cpl: 1, base: REAL_GDT | 0 });
  });

  test('refuses a stack that does not begin at 0, and leaves the guest on bare hardware', () => {
    const { eax, cpl, base } = init(({ cpu: { core } }) => {
      setSegment(core, L.SEG_SS, 0x10, 0x1000, -1, 0xc093);
    });
    expect([eax === 0, cpl, base]).toEqual([false, 0, 0]);
  });

  test('refuses a guest that does not map the words behind the ROM', () => {
    const { eax, cpl } = init(({ cpu: { core } }) => {
      // One page table for the first 4 MiB, without C9000h.
      for (let page = 0; page < 1024; page++) {
        core.physical.write(0x41000 + page * 4, 4, page === 0xc9 ? 0 : (page << 12) | 3);
      }
      core.physical.write(0x40000, 4, 0x41003);
      core.state.set(L.CR3, 0x40000);
      core.state.set(L.CR0, 0x80000011 | 0);
      core.mmu.flush();
    });
    expect([eax === 0, cpl]).toEqual([false, 0]);
  });
});

describe.skipIf(!hasBinutils || !hasMake)('the sources (needs make, and binutils 2.40)', () => {
  test.each([
    ['vmi-rom', 'vmi-rom.bin', ROM_IMAGE],
    ['rom-caller', 'rom-caller.elf', CALLER_IMAGE],
  ] as const)('of guest/%s give %s, byte for byte', (folder, name, image) => {
    const [built] = make(fileURLToPath(new URL(`../../guest/${folder}`, import.meta.url)), [name]);
    expect(built.equals(image.bytes)).toBe(true);
  });
});
