import { expect, test } from 'vitest';
import { VECTOR_GP, VECTOR_UD } from '../../../src/cpu/fault.js';
import { setNullSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { invd, invlpg_M, wbinvd } from '../../../src/cpu/system/caches.js';
import { atMemory, faults, instruction, TestProcessor } from './processor.js';

test('INVLPG minds neither segment nor page', () => {
  const p = new TestProcessor();
  p.enablePaging();
  p.unmap(0xb000);
  setNullSegment(p.core, L.SEG_DS);
  expect(p.execute(invlpg_M, atMemory(0xb000))).toBe('done');
});

test('the register form of INVLPG is #UD', () => {
  expect(new TestProcessor().execute(invlpg_M, instruction())).toEqual(faults(VECTOR_UD));
});

test('INVLPG, INVD and WBINVD are #GP(0) outside CPL 0', () => {
  const p = new TestProcessor();
  expect(p.execute(invd)).toBe('done');
  expect(p.execute(wbinvd)).toBe('done');
  p.enterUserMode();
  expect(p.execute(invlpg_M, atMemory(0))).toEqual(faults(VECTOR_GP));
  expect(p.execute(invd)).toEqual(faults(VECTOR_GP));
  expect(p.execute(wbinvd)).toEqual(faults(VECTOR_GP));
});
