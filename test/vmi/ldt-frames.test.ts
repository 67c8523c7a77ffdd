/** A frame whose SS is of the LDT, under every IRET scheme: hardware at CPL 1 would keep half of ESP. */
import { expect, test } from 'vitest';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { IRET_SCHEMES } from '../../src/vmi/iret-stubs.js';
import { Guest, handler, IRQ5, START, USER_CODE, USER_CS } from './support/guest.js';

const LDT = 0x13000;
const LDT_SS = 0x07;
const IF = 0x200;
const POINTER = 0x5a17a000;
const FRAME = [USER_CODE, USER_CS, IF | 2, POINTER, LDT_SS];

test.each(IRET_SCHEMES)('%s has ESP be what the frame says, and opens interrupts', (scheme) => {
  const sites = [{ call: 39, address: START, length: 5 }];
  const guest = new Guest([0xcf, 0x66, 0x66, 0x66, 0x90], { scheme, sites });
  const { core } = guest.machine.cpu;
  core.physical.load(USER_CODE, Uint8Array.of(0xeb, 0xfe));
  // 64 KiB from 10000h on, of 16 bits.
  guest.write(LDT, 0x0000ffff, 0x0000f201);
  setSegment(core, L.SEG_LDTR, 0x38, LDT, 7, 0x82);
  guest.write(guest.state.esp, ...FRAME);
  guest.runTo(USER_CODE, 30);
  expect(guest.state.esp).toBe(POINTER);
  guest.raise();
  guest.runTo(handler(IRQ5), 5);
  expect(guest.stack(5)).toEqual(FRAME);
});
