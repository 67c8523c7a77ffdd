import { describe, expect, test } from 'vitest';
import { CR4_PCE, CR4_TSD } from '../../../src/cpu/control-registers.js';
import { VECTOR_GP } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { cpuid } from '../../../src/cpu/system/cpuid.js';
import {
  IA32_BIOS_SIGN_ID,
  IA32_PLATFORM_ID,
  IA32_SYSENTER_CS,
  IA32_SYSENTER_EIP,
  IA32_SYSENTER_ESP,
  IA32_TIME_STAMP_COUNTER,
  rdmsr,
  rdpmc,
  rdtsc,
  wrmsr,
} from '../../../src/cpu/system/model-specific.js';
import { faults, type Outcome, TestProcessor } from './processor.js';

function write(p: TestProcessor, register: number, high: number, low: number): Outcome {
  p.state.set(L.ECX, register);
  p.state.set(L.EDX, high);
  p.state.set(L.EAX, low);
  return p.execute(wrmsr);
}

function read(p: TestProcessor, register: number): Outcome {
  p.state.set(L.ECX, register);
  return p.execute(rdmsr);
}

/** EDX:EAX. */
function pair(p: TestProcessor): [number, number] {
  return [p.state.get(L.EDX) >>> 0, p.state.get(L.EAX) >>> 0];
}

describe('RDMSR and WRMSR', () => {
  test.each([
    [IA32_SYSENTER_CS, L.MSR_SYSENTER_CS],
    [IA32_SYSENTER_ESP, L.MSR_SYSENTER_ESP],
    [IA32_SYSENTER_EIP, L.MSR_SYSENTER_EIP],
  ])('register %i keeps 32 bits', (register, offset) => {
    const p = new TestProcessor();
    expect(write(p, register, 7, 0xc0123456 | 0)).toBe('done');
    expect(p.state.get(offset) >>> 0).toBe(0xc0123456);
    expect(read(p, register)).toBe('done');
    expect(pair(p)).toEqual([0, 0xc0123456]);
  });

  test('are #GP(0) outside CPL 0', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    expect(read(p, IA32_SYSENTER_CS)).toEqual(faults(VECTOR_GP));
    expect(write(p, IA32_SYSENTER_CS, 0, 0)).toEqual(faults(VECTOR_GP));
  });

  test.each([0, 0x1b, 0x173, 0x177, 0xc0000080 | 0])(
    'register %i does not exist: #GP(0)',
    (register) => {
      const p = new TestProcessor();
      expect(read(p, register)).toEqual(faults(VECTOR_GP));
      expect(write(p, register, 0, 0)).toEqual(faults(VECTOR_GP));
    },
  );

  test('the microcode has revision 0, as software asks for it', () => {
    const p = new TestProcessor();
    expect(write(p, IA32_BIOS_SIGN_ID, 0, 0)).toBe('done');
    p.state.set(L.EAX, 1);
    p.execute(cpuid);
    expect(read(p, IA32_BIOS_SIGN_ID)).toBe('done');
    expect(pair(p)).toEqual([0, 0]);
  });

  test('the platform is 0, and cannot be written', () => {
    const p = new TestProcessor();
    expect(read(p, IA32_PLATFORM_ID)).toBe('done');
    expect(pair(p)).toEqual([0, 0]);
    expect(write(p, IA32_PLATFORM_ID, 0, 0)).toEqual(faults(VECTOR_GP));
  });

  test('a write to the TSC sets its low half and clears its upper half', () => {
    const p = new TestProcessor();
    p.bus.timestamp = 5_000_000_000;
    expect(write(p, IA32_TIME_STAMP_COUNTER, 9, 0xfffffff0 | 0)).toBe('done');
    p.bus.timestamp += 0x20;
    expect(read(p, IA32_TIME_STAMP_COUNTER)).toBe('done');
    expect(pair(p)).toEqual([1, 0x10]);
  });
});

describe('RDTSC', () => {
  test('reads the 64-bit counter, asking for it once', () => {
    const p = new TestProcessor();
    p.bus.timestamp = 0x12_fedc_ba98;
    expect(p.execute(rdtsc)).toBe('done');
    expect(pair(p)).toEqual([0x12, 0xfedcba98]);
    expect(p.bus.timestampReads).toBe(1);
  });

  test('is allowed at CPL 3 unless CR4.TSD is set, which CPL 0 does not mind', () => {
    const p = new TestProcessor();
    p.state.set(L.CR4, CR4_TSD);
    expect(p.execute(rdtsc)).toBe('done');
    p.enterUserMode();
    expect(p.execute(rdtsc)).toEqual(faults(VECTOR_GP));
    expect(p.bus.timestampReads).toBe(1);
    p.state.set(L.CR4, 0);
    expect(p.execute(rdtsc)).toBe('done');
  });
});

test('RDPMC is #GP(0) at any CPL, CR4.PCE or not', () => {
  const p = new TestProcessor();
  p.state.set(L.CR4, CR4_PCE);
  expect(p.execute(rdpmc)).toEqual(faults(VECTOR_GP));
});

describe('CPUID', () => {
  test('leaf 0 names the vendor and the highest leaf', () => {
    const p = new TestProcessor();
    p.state.set(L.EAX, 0);
    p.execute(cpuid);
    const vendor = Buffer.alloc(12);
    [L.EBX, L.EDX, L.ECX].forEach((register, i) => {
      vendor.writeInt32LE(p.state.get(register), i * 4);
    });
    expect(vendor.toString('latin1')).toBe('GenuineIntel');
    expect(p.state.get(L.EAX)).toBe(1);
  });

  test('leaf 1 claims FPU, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV and FXSR', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.state.set(L.EAX, 1);
    p.execute(cpuid);
    const claimed = Array.from({ length: 32 }, (_, bit) => bit).filter(
      (bit) => (p.state.get(L.EDX) >>> bit) & 1,
    );
    expect(claimed).toEqual([0, 2, 3, 4, 5, 6, 8, 11, 13, 15, 24]);
    expect(p.state.get(L.EAX)).toBe(0x681);
    expect(p.state.get(L.ECX)).toBe(0);
  });

  test('there are no extended leaves', () => {
    const p = new TestProcessor();
    p.state.set(L.EAX, 0x80000000 | 0);
    p.execute(cpuid);
    expect(p.state.get(L.EAX) >>> 16).not.toBe(0x8000);
  });
});
