import { describe, expect, test } from 'vitest';
import { Cpu } from '../../src/cpu/cpu.js';
import { EFLAGS_AC, EFLAGS_CF, EFLAGS_IF, EFLAGS_TF } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import {
  CODE,
  CODE_OFFSET,
  CODE_SELECTOR,
  DATA,
  HANDLER_SELECTOR,
  RealProgram,
  STACK,
} from './support/real-program.js';

const EAX = 0;
const EBX = 3;
const ESP = 4;
const UD = 6;
const GP = 13;
const SS = 12;

const handlerOf = (vector: number): string =>
  `${HANDLER_SELECTOR.toString(16)}:${(vector + 1).toString(16)}`;

describe('after a reset', () => {
  test('the first instruction is fetched at FFFFFFF0h, and a far jump leads below 1 MiB', () => {
    // JMP 1000:0100 at the reset vector, HLT where it leads.
    const rom = [0xea, 0x00, 0x01, 0x00, 0x10];
    const fetched: number[] = [];
    const cpu = new Cpu(
      0x100000,
      {
        read: (physical) => {
          fetched.push(physical);
          return rom[physical - 0xfffffff0] ?? 0xff;
        },
        write: () => undefined,
      },
      {
        readPort: () => 0xff,
        writePort: () => undefined,
        acknowledgeInterrupt: () => 0,
        readTimestamp: () => 0,
      },
    );
    cpu.core.physical.write(CODE, 1, 0xf4);
    expect(cpu.run(1)).toBe('until');
    expect(fetched[0]).toBe(0xfffffff0);
    expect(cpu.core.state.segmentBase(L.SEG_CS)).toBe(CODE_SELECTOR << 4);
    expect(cpu.run(10)).toBe('halted');
    expect(cpu.core.state.eip).toBe(CODE_OFFSET + 1);
  });

  test('CS can be written through, as every segment of real mode', () => {
    // MOV byte CS:[200h], 5Ah
    const program = new RealProgram([0x2e, 0xc6, 0x06, 0x00, 0x02, 0x5a]);
    expect(program.run()).toBe('halted');
    expect(program.vectors).toEqual([]);
    expect(program.cpu.core.physical.read((CODE_SELECTOR << 4) + 0x200, 1)).toBe(0x5a);
  });
});

describe('interrupts and exceptions through the vector table', () => {
  test('INT n pushes FLAGS, CS and the next IP, and clears IF and TF', () => {
    const program = new RealProgram([0xcd, 0x42], EFLAGS_IF | EFLAGS_CF);
    program.run();
    expect(program.place).toBe(handlerOf(0x42));
    expect(program.stack(3)).toEqual([CODE_OFFSET + 2, CODE_SELECTOR, EFLAGS_IF | EFLAGS_CF | 2]);
    expect(program.eflags).toBe(EFLAGS_CF | 2);
    expect(program.register(ESP)).toBe(0xffa);
  });

  test('a fault pushes the IP of the instruction and no error code', () => {
    // DIV BL
    const program = new RealProgram([0xf6, 0xf3]);
    program.run();
    expect(program.place).toBe(handlerOf(0));
    expect(program.stack(3)).toEqual([CODE_OFFSET, CODE_SELECTOR, 2]);
    expect(program.register(ESP)).toBe(0xffa);
  });

  // biome-ignore format: table
  const beyond: [string, number[], number][] = [
    ['a word at DS:FFFF',                [0xa1, 0xff, 0xff],                         GP],
    ['a store at DS:FFFF',               [0xa3, 0xff, 0xff],                         GP],
    ['a doubleword at DS:FFFD',          [0x66, 0xa1, 0xfd, 0xff],                   GP],
    ['a word at SS:FFFF',                [0x36, 0xa1, 0xff, 0xff],                   SS],
    ['a 32-bit address of 10000h',       [0x67, 0xa0, 0x00, 0x00, 0x01, 0x00],       GP],
    ['a 32-bit address of 10000h in SS', [0x36, 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00], SS],
    ['a 32-bit jump to 10000h',          [0x66, 0xe9, 0xfa, 0xfe, 0x00, 0x00],       GP],
    ['POP with SP FFFFh',                [0xbc, 0xff, 0xff, 0x58],                   SS],
  ];
  test.each(beyond)('%s takes its vector with no error code', (_name, code, vector) => {
    const program = new RealProgram(code);
    program.run();
    expect(program.vectors).toEqual([vector]);
    expect(program.place).toBe(handlerOf(vector));
    expect(program.stack(2)[1]).toBe(CODE_SELECTOR);
  });

  test('a push with SP 1 finds no room for the exception either: shutdown', () => {
    const program = new RealProgram([0xbc, 0x01, 0x00, 0x50]);
    expect(program.run()).toBe('shutdown');
  });

  test('PUSHA with SP 7 wraps slot by slot', () => {
    const program = new RealProgram([0xbc, 0x08, 0x00, 0x60]);
    program.run();
    expect(program.vectors).toEqual([]);
    expect(program.register(ESP)).toBe(0xfff8);
  });

  test('IDTR says where the table is, and how long', () => {
    // LIDT [0]; INT 2
    const program = new RealProgram([0x0f, 0x01, 0x1e, 0x00, 0x00, 0xcd, 0x02]);
    const table = 0x40000;
    program.poke16(DATA, 0x3ff);
    program.poke16(DATA + 2, table & 0xffff);
    program.poke16(DATA + 4, table >> 16);
    program.poke16(table + 8, 0x77);
    program.poke16(table + 10, HANDLER_SELECTOR);
    program.run();
    expect(program.place).toBe(handlerOf(0x77));
  });

  test('a vector beyond the limit of IDTR is #GP, through the same table', () => {
    const program = new RealProgram([0x0f, 0x01, 0x1e, 0x00, 0x00, 0xcd, 0x42]);
    program.poke16(DATA, 0xff);
    program.run();
    expect(program.place).toBe(handlerOf(GP));
    expect(program.stack(1)).toEqual([CODE_OFFSET + 5]);
  });

  test('a table too short for #GP and #DF shuts the processor down', () => {
    const program = new RealProgram([0x0f, 0x01, 0x1e, 0x00, 0x00, 0xcd, 0x42]);
    program.poke16(DATA, 0x1f);
    expect(program.run()).toBe('shutdown');
  });

  test('an interrupt comes by its vector, a single step by 1', () => {
    const program = new RealProgram([0x90, 0x90], EFLAGS_IF);
    program.cpu.setInterruptLine(true);
    program.run();
    expect(program.vectors).toEqual([0x20]);
    const stepped = new RealProgram([0x90, 0x90], EFLAGS_TF);
    stepped.run();
    expect(stepped.vectors).toEqual([1]);
    expect(stepped.stack(3)).toEqual([CODE_OFFSET + 1, CODE_SELECTOR, EFLAGS_TF | 2]);
  });

  test('IRET takes three words, IRETD three doublewords with AC', () => {
    // PUSH 0002h; PUSH 3000h; PUSH 0; IRET
    const short = new RealProgram([0x6a, 0x03, 0x68, 0x00, 0x30, 0x6a, 0x00, 0xcf]);
    short.cpu.core.physical.write(DATA, 1, 0xf4);
    short.run();
    expect(short.place).toBe('3000:1');
    expect(short.eflags).toBe(3);
    expect(short.register(ESP)).toBe(0x1000);
    const long = new RealProgram([
      ...[0x66, 0x68, 0x02, 0x00, 0x04, 0x00],
      ...[0x66, 0x68, 0x00, 0x30, 0x00, 0x00],
      ...[0x66, 0x6a, 0x00, 0x66, 0xcf],
    ]);
    long.cpu.core.physical.write(DATA, 1, 0xf4);
    long.run();
    expect(long.place).toBe('3000:1');
    expect(long.eflags).toBe(EFLAGS_AC | 2);
  });
});

describe('instructions that know selectors are #UD', () => {
  // biome-ignore format: table
  test.each<[string, number[]]>([
    ['SLDT', [0x0f, 0x00, 0xc0]],
    ['STR',  [0x0f, 0x00, 0xc8]],
    ['LLDT', [0x0f, 0x00, 0xd0]],
    ['LTR',  [0x0f, 0x00, 0xd8]],
    ['VERR', [0x0f, 0x00, 0xe0]],
    ['VERW', [0x0f, 0x00, 0xe8]],
    ['LAR',  [0x0f, 0x02, 0xc0]],
    ['LSL',  [0x0f, 0x03, 0xc0]],
    ['ARPL', [0x63, 0xc0]],
  ])('%s', (_name, code) => {
    const program = new RealProgram(code);
    program.run();
    expect(program.vectors).toEqual([UD]);
  });
});

test.each<[string, number[]]>([
  ['SGDT', [0x0f, 0x01, 0x06, 0x00, 0x00]],
  ['LGDT', [0x0f, 0x01, 0x16, 0x00, 0x00]],
  ['SMSW', [0x0f, 0x01, 0xe0]],
  ['LMSW', [0x0f, 0x01, 0xf0]],
  ['CLTS', [0x0f, 0x06]],
  ['MOV EAX, CR0', [0x0f, 0x20, 0xc0]],
  ['MOV DR0, EAX', [0x0f, 0x23, 0xc0]],
  ['WBINVD', [0x0f, 0x09]],
  ['CLI', [0xfa]],
  ['IN', [0xe4, 0x60]],
])('%s works in real mode, where CPL is 0', (_name, code) => {
  const program = new RealProgram(code);
  program.run();
  expect(program.vectors).toEqual([]);
  expect(program.place).toBe(`1000:${(CODE_OFFSET + code.length + 1).toString(16)}`);
});

describe('segments keep their hidden parts', () => {
  const GDT = DATA + 0x100;
  const SELECTOR = 8;
  /** LGDT [0]; PE set; DS loaded with `selector`; PE cleared; DS loaded with `paragraph`. */
  const throughProtectedMode = (selector: number, paragraph: number): number[] => [
    ...[0x0f, 0x01, 0x16, 0x00, 0x00], // LGDT [0]
    ...[0x0f, 0x20, 0xc0], // MOV EAX, CR0
    ...[0x0c, 0x01, 0x0f, 0x22, 0xc0], // OR AL, 1; MOV CR0, EAX
    ...[0xbb, selector, 0x00, 0x8e, 0xdb], // MOV BX, selector; MOV DS, BX
    ...[0x24, 0xfe, 0x0f, 0x22, 0xc0], // AND AL, FEh; MOV CR0, EAX
    ...[0xbb, paragraph & 0xff, paragraph >> 8, 0x8e, 0xdb], // MOV BX, paragraph; MOV DS, BX
  ];

  function unreal(code: readonly number[]): RealProgram {
    const program = new RealProgram(code);
    program.poke16(DATA, 0xf);
    program.poke16(DATA + 2, GDT & 0xffff);
    program.poke16(DATA + 4, GDT >> 16);
    // Flat data of 4 GiB.
    [0xffff, 0x0000, 0x9300, 0x00cf].forEach((word, i) =>
      program.poke16(GDT + SELECTOR + 2 * i, word),
    );
    return program;
  }

  test('a limit of 4 GiB survives the way back to real mode and loads there', () => {
    // MOV AL, [000F0000h] by a 32-bit address
    const load = [0x67, 0x66, 0x0f, 0xb6, 0x05, 0x00, 0x00, 0x0f, 0x00];
    const program = unreal([...throughProtectedMode(SELECTOR, 0x1234), ...load]);
    program.cpu.core.physical.write(0x12340 + 0xf0000, 1, 0x5a);
    program.run();
    expect(program.vectors).toEqual([]);
    expect(program.register(EAX)).toBe(0x5a);
    expect(program.cpu.core.state.segmentBase(L.SEG_DS)).toBe(0x12340);
  });

  test('a read-only segment can be written once it is loaded in real mode', () => {
    const store = [0xc6, 0x06, 0x10, 0x00, 0x77];
    const program = unreal([...throughProtectedMode(SELECTOR, 0x3000), ...store]);
    program.poke16(GDT + SELECTOR + 4, 0x9100);
    program.run();
    expect(program.vectors).toEqual([]);
    expect(program.cpu.core.physical.read(DATA + 0x10, 1)).toBe(0x77);
  });

  test('one that held a null selector has 64 KiB again once it is loaded in real mode', () => {
    // MOV AX, [0010h]
    const program = unreal([...throughProtectedMode(0, 0x3000), 0xa1, 0x10, 0x00]);
    program.poke16(DATA + 0x10, 0x1234);
    program.run();
    expect(program.vectors).toEqual([]);
    expect(program.register(EAX) & 0xffff).toBe(0x1234);
  });

  test('protected mode is entered with CPL 0 and the 16-bit code goes on', () => {
    // The code segment is still that of real mode: MOV BX, 8 has an operand of 16 bits.
    const program = unreal(throughProtectedMode(SELECTOR, 0x3000));
    program.step(6);
    expect(program.cpu.core.state.cpl).toBe(0);
    expect(program.register(EBX)).toBe(SELECTOR);
    expect(program.cpu.core.state.segmentLimit(L.SEG_DS) >>> 0).toBe(0xffffffff);
  });
});

describe('at the end of the code segment', () => {
  /** Runs code whose last byte lies at offset FFFFh. */
  function atEnd(code: readonly number[]): RealProgram {
    const program = new RealProgram([]);
    const { core } = program.cpu;
    core.physical.load((CODE_SELECTOR << 4) + 0x10000 - code.length, Uint8Array.from(code));
    core.state.eip = 0x10000 - code.length;
    return program;
  }

  test('IP does not wrap by itself: the next fetch is #GP', () => {
    const program = atEnd([0x90]);
    program.run();
    expect(program.vectors).toEqual([GP]);
  });

  test('an instruction that goes on beyond it is #GP, with its own IP saved', () => {
    const program = atEnd([0xb8]);
    program.run();
    expect(program.vectors).toEqual([GP]);
    expect(program.stack(1)).toEqual([0xffff]);
  });

  test('a short jump across it wraps to the start', () => {
    const program = atEnd([0xeb, 0x10]);
    program.cpu.core.physical.write((CODE_SELECTOR << 4) + 0x10, 1, 0xf4);
    program.run();
    expect(program.vectors).toEqual([]);
    expect(program.place).toBe('1000:11');
  });

  test('the stack wraps from 0 to FFFEh', () => {
    const program = new RealProgram([0xbc, 0x00, 0x00, 0xb8, 0x34, 0x12, 0x50]);
    program.run();
    expect(program.peek16(STACK - 0x1000 + 0xfffe)).toBe(0x1234);
    expect(program.register(ESP)).toBe(0xfffe);
  });
});
