/** An x87 with anything in it: every kind of number, masks, tags, exceptions that wait. */
import {
  FPU_BUSY,
  FPU_CONTROL_FIXED,
  FPU_CONTROL_WRITABLE,
  FPU_ES,
  FPU_EXCEPTIONS,
} from '../../src/cpu/fpu/control-status.js';
import type { State } from '../../src/cpu/state.js';
import * as L from '../../src/cpu/state-layout.js';
import type { Choices } from './choices.js';

const REGISTERS = 8;
/** Exponents where something begins: zero, denormals, doubles' and singles' ends, one, NaNs. */
const EXPONENTS = [0, 1, 0x3bcd, 0x3c01, 0x3f6a, 0x3fff, 0x4000, 0x403e, 0x43fe, 0x7ffe, 0x7fff];
const HIGH_HALVES = [0, 0x80000000, 0xc0000000, 0xffffffff, 0x7fffffff, 0x40000000];

/** Fills the registers, and keeps what `FPU_STATUS` promises: ES and B follow from flags and masks. */
export function fillX87(choices: Choices, state: State): void {
  for (let i = 0; i < REGISTERS; i++) {
    const at = L.FPU_REGISTERS + i * L.FPU_REGISTER_BYTES;
    const exponent = choices.oneIn(2) ? choices.pick(EXPONENTS) : choices.below(0x8000);
    state.set(at, choices.oneIn(2) ? 0 : choices.word());
    state.set(at + 4, (choices.oneIn(2) ? choices.pick(HIGH_HALVES) : choices.word()) | 0);
    state.set(at + 8, exponent | (choices.oneIn(2) ? 0x8000 : 0));
  }
  const masks = choices.oneIn(3) ? choices.below(0x40) : FPU_EXCEPTIONS;
  const control = (choices.below(0x2000) & FPU_CONTROL_WRITABLE & ~FPU_EXCEPTIONS) | masks;
  const status = choices.below(0x10000) & ~(FPU_ES | FPU_BUSY);
  const flags = choices.oneIn(2) ? 0 : status & FPU_EXCEPTIONS;
  const waits = (flags & ~masks) !== 0 ? FPU_ES | FPU_BUSY : 0;
  state.set(L.FPU_CONTROL, control | FPU_CONTROL_FIXED);
  state.set(L.FPU_STATUS, (status & ~FPU_EXCEPTIONS) | flags | waits);
  state.set(L.FPU_EMPTY, choices.pick([0, 0xff, choices.below(256)]));
}

/** The first thing about the x87 that may never be, or null. */
export function brokenX87(state: State): string | null {
  const control = state.get(L.FPU_CONTROL);
  const status = state.get(L.FPU_STATUS);
  if (control & ~(FPU_CONTROL_WRITABLE | FPU_CONTROL_FIXED)) return 'the x87 has no such control';
  if (status >>> 0 > 0xffff || state.get(L.FPU_EMPTY) >>> 0 > 0xff) return 'the x87 status is wide';
  const waits = (status & ~control & FPU_EXCEPTIONS) !== 0;
  if (waits !== ((status & FPU_ES) !== 0)) return 'ES is not what flags and masks say';
  if (waits !== ((status & FPU_BUSY) !== 0)) return 'B is not ES';
  for (let i = 0; i < REGISTERS; i++) {
    const at = L.FPU_REGISTERS + i * L.FPU_REGISTER_BYTES;
    if (state.get(at + 8) >>> 0 > 0xffff || state.get(at + 12) !== 0) return `R${i} is too wide`;
  }
  return null;
}
