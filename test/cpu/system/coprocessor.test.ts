import { expect, test } from 'vitest';
import { CR0_EM, CR0_MP, CR0_PE, CR0_TS } from '../../../src/cpu/control-registers.js';
import { VECTOR_NM, VECTOR_UD } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { esc, wait } from '../../../src/cpu/system/coprocessor.js';
import { faults, TestProcessor } from './processor.js';

const NM = faults(VECTOR_NM);
const UD = faults(VECTOR_UD);

// Intel SDM vol. 3A, table 2-2.
// biome-ignore format: table
test.each([
  ['nothing',       0,                        UD, 'done'],
  ['TS',            CR0_TS,                   NM, 'done'],
  ['MP',            CR0_MP,                   UD, 'done'],
  ['MP and TS',     CR0_MP | CR0_TS,          NM, NM],
  ['EM',            CR0_EM,                   NM, 'done'],
  ['EM and TS',     CR0_EM | CR0_TS,          NM, 'done'],
  ['EM and MP',     CR0_EM | CR0_MP,          NM, 'done'],
  ['EM, MP and TS', CR0_EM | CR0_MP | CR0_TS, NM, NM],
])('ESC and WAIT with %s set in CR0', (_, bits, escOutcome, waitOutcome) => {
  const p = new TestProcessor();
  p.state.set(L.CR0, CR0_PE | bits);
  expect(p.execute(esc)).toEqual(escOutcome);
  expect(p.execute(wait)).toEqual(waitOutcome);
});
