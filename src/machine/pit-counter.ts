/**
 * One counter of the 8254, as a function of the time in CLK ticks that its caller passes in.
 *
 * Nothing here advances by itself. A count is loaded at a tick, and the counting element, OUT and the
 * next edge are worked out from the ticks since. CR is the count register that the guest writes, CE the
 * counting element that it reads. Intel 8254 data sheet (order 231164), "Mode definitions".
 */
import { checkStateLength } from './device.js';

/** RW bits of the control word. */
const ACCESS_LOW = 1;
const ACCESS_HIGH = 2;
const ACCESS_BOTH = 3;

/** A tick that never comes; finite, so that it survives any serialisation. */
const NEVER = Number.MAX_SAFE_INTEGER;
/** Status byte: OUT's level, and CR not yet loaded into CE. */
const STATUS_OUT = 0x80;
const STATUS_NULL = 0x40;

const STATE_LENGTH = 15;

/** A count of 0 stands for the largest: 65536, or 10000 in BCD. */
function countOf(raw: number, isBcd: boolean): number {
  if (raw === 0) return isBcd ? 10000 : 65536;
  if (!isBcd) return raw;
  return (raw >> 12) * 1000 + ((raw >> 8) & 15) * 100 + ((raw >> 4) & 15) * 10 + (raw & 15);
}

function toBcd(value: number): number {
  const hundreds = Math.trunc(value / 100);
  return (
    (Math.trunc(hundreds / 10) << 12) |
    ((hundreds % 10) << 8) |
    ((Math.trunc(value / 10) % 10) << 4) |
    (value % 10)
  );
}

/** Remainder that is never negative. */
function modulo(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}

/** A counter. `now` is always the present time in ticks, never less than in the call before. */
export class PitCounter {
  #mode = 0;
  #access = ACCESS_BOTH;
  #isBcd = false;
  #gate: boolean;
  /** While the gate is low: since when. */
  #gateFell = 0;
  /** CR as a number of ticks; 0 while no count was written since the control word. */
  #written = 0;
  /** What CE counts down from, and the tick at which it did or will start. */
  #count = 0;
  #start = NEVER;
  /** In modes 2 and 3: from this tick on, `#nextCount` and `#nextStart` take over. */
  #switchAt = NEVER;
  #nextCount = 0;
  #nextStart = NEVER;
  /** Low byte of a count whose high byte is to follow, or -1. */
  #lowByte = -1;
  #readsHighNext = false;
  /** Latched count and status, or -1. */
  #latchedCount = -1;
  #latchedStatus = -1;

  readonly #startsWithGate: boolean;

  /** @param gate the level of GATE at reset. */
  constructor(gate: boolean) {
    this.#startsWithGate = gate;
    this.#gate = gate;
  }

  get mode(): number {
    return this.#mode;
  }

  /** As firmware leaves it: counting from `count` in a mode since tick 0, to be read and written in two bytes. */
  reset(mode: 2 | 3, count: number): void {
    this.writeControl(ACCESS_BOTH, mode, false);
    this.#gate = this.#startsWithGate;
    this.#gateFell = 0;
    this.#written = count;
    this.#count = count;
    this.#start = 0;
  }

  /**
   * Takes over a control word: counting stops until a count is written. OUT goes low in mode 0, high in
   * the others.
   * @param access RW bits, not 0. @param mode M bits, 0 to 7.
   */
  writeControl(access: number, mode: number, isBcd: boolean): void {
    this.#access = access;
    this.#mode = mode > 5 ? mode & 3 : mode;
    this.#isBcd = isBcd;
    this.#written = 0;
    this.#count = 0;
    this.#start = NEVER;
    this.#switchAt = NEVER;
    this.#nextCount = 0;
    this.#nextStart = NEVER;
    this.#lowByte = -1;
    this.#readsHighNext = false;
    this.#latchedCount = -1;
    this.#latchedStatus = -1;
  }

  /** True when writing this byte completes a count. In mode 0 any byte written drives OUT low. */
  get completesCount(): boolean {
    return this.#access !== ACCESS_BOTH || this.#lowByte >= 0;
  }

  /** Writes the first byte of a two-byte count. */
  writeLowByte(byte: number): void {
    this.#lowByte = byte;
    // "Writing the first byte disables counting", mode 0.
    if (this.#mode === 0) this.#start = NEVER;
  }

  /** Writes the byte that completes a count. It reaches CE on the next CLK pulse, or when the mode says. */
  writeLastByte(byte: number, now: number): void {
    let raw = byte;
    if (this.#access === ACCESS_HIGH) raw = byte << 8;
    else if (this.#access === ACCESS_BOTH) raw = (byte << 8) | this.#lowByte;
    this.#lowByte = -1;
    const count = countOf(raw, this.#isBcd);
    this.#written = count;
    switch (this.#mode) {
      case 1:
      case 5: // waits for a trigger, unless one has just come
        if (this.#isStarted && now < this.#start) this.#count = count;
        break;
      case 2:
      case 3:
        this.#writePeriod(count, now);
        break;
      default:
        this.#count = count;
        this.#start = now + 1;
    }
  }

  /** Sets GATE. Only counter 2 of a PC has one that moves. */
  setGate(isHigh: boolean, now: number): void {
    if (isHigh === this.#gate) return;
    this.#promote(now);
    this.#gate = isHigh;
    if (!isHigh) {
      this.#gateFell = now;
      // A period that was to come does not: the trigger that ends the pause loads CR.
      this.#switchAt = NEVER;
      return;
    }
    if (this.#written === 0) return;
    if (this.#mode === 0 || this.#mode === 4) {
      // The pause ends. A count that was loaded during it has not begun to count.
      const counted = Math.max(0, this.#gateFell - this.#start);
      if (this.#isStarted) this.#start = Math.max(this.#start, now - counted);
      return;
    }
    // A trigger: CE is loaded on the next CLK pulse.
    this.#count = this.#written;
    this.#start = now + 1;
  }

  /** The level of OUT. */
  output(now: number): boolean {
    this.#promote(now);
    const elapsed = this.#elapsed(now);
    switch (this.#mode) {
      case 0:
        return elapsed >= this.#count && this.#isStarted;
      case 1:
        return !this.#isStarted || elapsed < 0 || elapsed >= this.#count;
      case 2:
        return (
          !this.#isStarted ||
          !this.#gate ||
          elapsed < 0 ||
          elapsed % this.#count !== this.#count - 1
        );
      case 3:
        return (
          !this.#isStarted ||
          !this.#gate ||
          elapsed < 0 ||
          elapsed % this.#count < (this.#count + 1) >> 1
        );
      default: // 4 and 5: low for one tick at terminal count
        return !this.#isStarted || elapsed !== this.#count;
    }
  }

  /** Latches CE, unless a latched count still waits to be read. */
  latchCount(now: number): void {
    if (this.#latchedCount < 0) this.#latchedCount = this.#counting(now);
  }

  /** Latches the status byte, unless one still waits to be read. */
  latchStatus(now: number): void {
    if (this.#latchedStatus >= 0) return;
    const isOut = this.output(now);
    this.#latchedStatus =
      (isOut ? STATUS_OUT : 0) |
      (this.#isNull(now) ? STATUS_NULL : 0) |
      (this.#access << 4) |
      (this.#mode << 1) |
      Number(this.#isBcd);
  }

  /** True when the next read needs to know the time. */
  get readsLive(): boolean {
    return this.#latchedStatus < 0 && this.#latchedCount < 0;
  }

  /** Reads the next byte: latched status, then latched count, then CE as it is. */
  read(now: number): number {
    if (this.#latchedStatus >= 0) {
      const status = this.#latchedStatus;
      this.#latchedStatus = -1;
      return status;
    }
    const value = this.#latchedCount >= 0 ? this.#latchedCount : this.#counting(now);
    const readsHigh =
      this.#access === ACCESS_HIGH || (this.#access === ACCESS_BOTH && this.#readsHighNext);
    if (this.#access === ACCESS_BOTH) this.#readsHighNext = !this.#readsHighNext;
    if (this.#access === ACCESS_LOW || readsHigh) this.#latchedCount = -1;
    return readsHigh ? value >> 8 : value & 0xff;
  }

  /**
   * The first tick after `now` at which OUT rises by itself, or Infinity. Changes nothing, so a driver may
   * ask as often as it likes. A gate that is low counts as staying low.
   */
  nextEdge(now: number): number {
    if (!this.#isStarted || !this.#gate) return Infinity;
    if (now >= this.#switchAt) return this.#periodicEdge(this.#nextCount, this.#nextStart, now);
    switch (this.#mode) {
      case 0:
      case 1:
        return this.#start + this.#count > now ? this.#start + this.#count : Infinity;
      case 2:
      case 3: {
        const edge = this.#periodicEdge(this.#count, this.#start, now);
        if (edge <= this.#switchAt) return edge;
        return this.#periodicEdge(this.#nextCount, this.#nextStart, this.#switchAt);
      }
      default: {
        const edge = this.#start + this.#count + 1;
        return edge > now ? edge : Infinity;
      }
    }
  }

  /** 15 numbers. */
  save(): number[] {
    return [
      this.#mode,
      this.#access,
      Number(this.#isBcd),
      Number(this.#gate),
      this.#gateFell,
      this.#written,
      this.#count,
      this.#start,
      this.#switchAt,
      this.#nextCount,
      this.#nextStart,
      this.#lowByte,
      Number(this.#readsHighNext),
      this.#latchedCount,
      this.#latchedStatus,
    ];
  }

  restore(state: readonly number[]): void {
    checkStateLength('pit8254 counter', state, STATE_LENGTH);
    this.#mode = state[0];
    this.#access = state[1];
    this.#isBcd = state[2] !== 0;
    this.#gate = state[3] !== 0;
    this.#gateFell = state[4];
    this.#written = state[5];
    this.#count = state[6];
    this.#start = state[7];
    this.#switchAt = state[8];
    this.#nextCount = state[9];
    this.#nextStart = state[10];
    this.#lowByte = state[11];
    this.#readsHighNext = state[12] !== 0;
    this.#latchedCount = state[13];
    this.#latchedStatus = state[14];
  }

  /** A new count in mode 2 or 3: takes effect at the end of the present period or half-period. */
  #writePeriod(count: number, now: number): void {
    this.#promote(now);
    if (!this.#isStarted || now < this.#start) {
      this.#count = count;
      this.#start = now + 1;
      return;
    }
    // While the gate is low nothing counts, and the trigger to come loads CR.
    if (!this.#gate) return;
    const phase = (now - this.#start) % this.#count;
    const periodEnd = now - phase + this.#count;
    this.#nextCount = count;
    this.#switchAt = periodEnd;
    this.#nextStart = periodEnd;
    const high = (this.#count + 1) >> 1;
    if (this.#mode === 3 && phase < high) {
      // At the falling edge the low half of the new period follows: it began its high half before.
      this.#switchAt = now - phase + high;
      this.#nextStart = this.#switchAt - ((count + 1) >> 1);
    }
  }

  /** Lets a new period that has begun by now be the present one. */
  #promote(now: number): void {
    if (now < this.#switchAt) return;
    this.#count = this.#nextCount;
    this.#start = this.#nextStart;
    this.#switchAt = NEVER;
  }

  get #isStarted(): boolean {
    return this.#start !== NEVER;
  }

  /** Ticks since CE was loaded; negative before. The gate stops it in modes that it stops. */
  #elapsed(now: number): number {
    if (!this.#isStarted) return -1;
    const isStopped = !this.#gate && this.#mode !== 1 && this.#mode !== 5;
    return (isStopped ? Math.min(now, this.#gateFell) : now) - this.#start;
  }

  /** CR has not yet reached CE. */
  #isNull(now: number): boolean {
    if (this.#written === 0 || !this.#isStarted) return true;
    if (now < this.#start || this.#switchAt !== NEVER) return true;
    return this.#count !== this.#written;
  }

  /** CE as the guest reads it: 16 bits, BCD where so programmed. */
  #counting(now: number): number {
    this.#promote(now);
    const range = this.#isBcd ? 10000 : 65536;
    let value = this.#written;
    if (this.#isStarted) {
      const elapsed = Math.max(0, this.#elapsed(now));
      if (this.#mode === 2) value = this.#count - (elapsed % this.#count);
      else if (this.#mode === 3) value = this.#squareWaveCount(elapsed);
      else value = this.#count - elapsed;
    }
    const count = modulo(value, range);
    return this.#isBcd ? toBcd(count) : count;
  }

  /** Mode 3 counts by two, twice a period; an odd count is loaded less one. */
  #squareWaveCount(elapsed: number): number {
    const phase = elapsed % this.#count;
    const high = (this.#count + 1) >> 1;
    const step = phase < high ? phase : phase - high;
    return (this.#count & ~1) - 2 * step;
  }

  /** The first rising edge after `now` of a rate generator or square wave. */
  #periodicEdge(count: number, start: number, now: number): number {
    // A count of 1 is illegal in modes 2 and 3, and OUT never rises.
    if (count <= 1) return Infinity;
    if (now < start) return start + count;
    return now - ((now - start) % count) + count;
  }
}
