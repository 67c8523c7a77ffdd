import { describe, expect, test } from 'vitest';
import {
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_MCE,
  CR4_PAE,
  CR4_PGE,
  CR4_PSE,
  CR4_PVI,
  CR4_TSD,
  CR4_VME,
} from '../../../src/cpu/control-registers.js';
import { EFLAGS_AC, EFLAGS_IOPL } from '../../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_UD } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  clts,
  lmsw_Ew,
  mov_Cd_Rd,
  mov_Rd_Cd,
  smsw_Ew,
} from '../../../src/cpu/system/control-register-moves.js';
import { popf } from '../../../src/cpu/system/flags-instructions.js';
import {
  atMemory,
  DATA,
  faults,
  instruction,
  type Outcome,
  PAGE_DIRECTORY,
  STACK,
  TestProcessor,
} from './processor.js';

const EBX = 3;

function write(p: TestProcessor, register: number, value: number): Outcome {
  p.state.setReg32(EBX, value);
  return p.execute(mov_Cd_Rd, instruction({ reg: register, rm: EBX }));
}

function countFlushes(p: TestProcessor): { readonly count: number } {
  const flushes = { count: 0 };
  p.core.mmu.onFlush = () => {
    flushes.count += 1;
  };
  return flushes;
}

describe('MOV to and from control registers', () => {
  test('CR2, CR3 and CR4 read as they were written', () => {
    const p = new TestProcessor();
    expect(write(p, 2, 0x12345678)).toBe('done');
    expect(write(p, 3, PAGE_DIRECTORY | 0x18)).toBe('done');
    expect(write(p, 4, CR4_PSE | CR4_TSD)).toBe('done');
    p.execute(mov_Rd_Cd, instruction({ reg: 2, rm: 0 }));
    p.execute(mov_Rd_Cd, instruction({ reg: 3, rm: 1 }));
    p.execute(mov_Rd_Cd, instruction({ reg: 4, rm: 2 }));
    expect([0, 1, 2].map((register) => p.state.reg32(register))).toEqual([
      0x12345678,
      PAGE_DIRECTORY | 0x18,
      CR4_PSE | CR4_TSD,
    ]);
  });

  test.each([1, 5, 6, 7])('CR%i is #UD at any CPL', (reg) => {
    const p = new TestProcessor();
    expect(p.execute(mov_Rd_Cd, instruction({ reg }))).toEqual(faults(VECTOR_UD));
    p.enterUserMode();
    expect(p.execute(mov_Cd_Rd, instruction({ reg }))).toEqual(faults(VECTOR_UD));
  });

  test.each([0, 2, 3, 4])('CR%i is #GP(0) outside CPL 0', (reg) => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.eflags = EFLAGS_IOPL;
    expect(p.execute(mov_Rd_Cd, instruction({ reg }))).toEqual(faults(VECTOR_GP));
    expect(p.execute(mov_Cd_Rd, instruction({ reg }))).toEqual(faults(VECTOR_GP));
  });

  test('CR0: ET reads as one, reserved bits ignore the write', () => {
    const p = new TestProcessor();
    expect(write(p, 0, CR0_PE | 0x0ffaffc0)).toBe('done');
    expect(p.state.cr0).toBe(CR0_PE | CR0_ET);
  });

  test('CR0: PG without PE and NW without CD are #GP(0)', () => {
    const p = new TestProcessor();
    expect(write(p, 0, CR0_PG)).toEqual(faults(VECTOR_GP));
    expect(write(p, 0, CR0_PE | CR0_NW)).toEqual(faults(VECTOR_GP));
    expect(write(p, 0, CR0_PE | CR0_NW | CR0_CD)).toBe('done');
  });

  test('CR0: a change of PG or WP drops cached translations, a change of TS does not', () => {
    const p = new TestProcessor();
    const flushes = countFlushes(p);
    write(p, 0, CR0_PE | CR0_TS);
    expect(flushes.count).toBe(0);
    write(p, 0, CR0_PE | CR0_WP);
    expect(flushes.count).toBe(1);
    p.core.physical.write(PAGE_DIRECTORY, 4, 0x87);
    p.state.set(L.CR3, PAGE_DIRECTORY);
    write(p, 0, CR0_PE | CR0_WP | CR0_PG);
    expect(flushes.count).toBe(2);
  });

  test('CR0: clearing PE leaves protected mode, setting it enters it again', () => {
    const p = new TestProcessor();
    expect(write(p, 0, 0)).toBe('done');
    expect(p.state.get(L.MODE) & L.MODE_PROTECTED).toBe(0);
    expect(write(p, 0, CR0_PE)).toBe('done');
    expect(p.state.get(L.MODE) & L.MODE_PROTECTED).not.toBe(0);
  });

  test('CR3: a load of another directory drops cached translations, one of the same does not', () => {
    const p = new TestProcessor();
    const flushes = countFlushes(p);
    const before = p.state.get(L.CR3);
    write(p, 3, before);
    write(p, 3, before | 0x18);
    expect(flushes.count).toBe(0);
    write(p, 3, before + 0x1000);
    expect(flushes.count).toBe(1);
  });

  test('CR4: bits of what is not built are reserved, #GP(0)', () => {
    const p = new TestProcessor();
    for (const bit of [CR4_VME, CR4_PVI, CR4_MCE, 1 << 10, 1 << 31]) {
      expect(write(p, 4, bit)).toEqual(faults(VECTOR_GP));
    }
    expect(write(p, 4, CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE)).toBe('done');
  });

  test('CR4: a change of PSE or PAE drops cached translations, a change of TSD or PGE does not', () => {
    const p = new TestProcessor();
    const flushes = countFlushes(p);
    write(p, 4, CR4_TSD | CR4_PGE);
    expect(flushes.count).toBe(0);
    write(p, 4, CR4_TSD | CR4_PSE);
    write(p, 4, CR4_TSD | CR4_PSE | CR4_PAE);
    expect(flushes.count).toBe(2);
  });

  test('alignment is checked while CR0.AM and EFLAGS.AC are both set', () => {
    const p = new TestProcessor();
    p.poke(STACK, 4, EFLAGS_AC);
    p.execute(popf);
    expect(p.core.mmu.checksAlignment).toBe(false);
    write(p, 0, CR0_PE | CR0_AM);
    expect(p.core.mmu.checksAlignment).toBe(true);
    p.execute(popf);
    expect(p.core.mmu.checksAlignment).toBe(false);
  });
});

describe('the machine status word', () => {
  test('LMSW loads PE, MP, EM and TS from the low bits and nothing else', () => {
    const p = new TestProcessor();
    p.state.setReg32(EBX, -1);
    expect(p.execute(lmsw_Ew, instruction({ rm: EBX }))).toBe('done');
    expect(p.state.cr0).toBe(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET);
  });

  test('LMSW cannot clear PE', () => {
    const p = new TestProcessor();
    p.poke(DATA, 2, CR0_MP);
    expect(p.execute(lmsw_Ew, atMemory(DATA))).toBe('done');
    expect(p.state.cr0).toBe(CR0_PE | CR0_MP | CR0_ET);
    expect(p.state.get(L.MODE) & L.MODE_PROTECTED).not.toBe(0);
  });

  test('CLTS clears TS alone', () => {
    const p = new TestProcessor();
    write(p, 0, CR0_PE | CR0_TS | CR0_MP);
    expect(p.execute(clts)).toBe('done');
    expect(p.state.cr0).toBe(CR0_PE | CR0_MP | CR0_ET);
  });

  test('LMSW and CLTS are #GP(0) outside CPL 0; SMSW is not', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    expect(p.execute(lmsw_Ew, instruction())).toEqual(faults(VECTOR_GP));
    expect(p.execute(clts)).toEqual(faults(VECTOR_GP));
    expect(p.execute(smsw_Ew, instruction())).toBe('done');
  });

  test('SMSW stores 16 bits to memory, and all of CR0 to a 32-bit register', () => {
    const p = new TestProcessor();
    p.enablePaging();
    p.poke(DATA, 4, -1);
    p.execute(smsw_Ew, atMemory(DATA));
    expect(p.dword(DATA)).toBe(0xffff0000 + (CR0_PE | CR0_ET));
    p.execute(smsw_Ew, instruction({ rm: EBX }));
    expect(p.state.reg32(EBX)).toBe(p.state.cr0);
    p.state.setReg32(EBX, 0);
    p.execute(smsw_Ew, instruction({ rm: EBX, operandSize: 2 }));
    expect(p.state.reg32(EBX)).toBe(CR0_PE | CR0_ET);
  });
});
