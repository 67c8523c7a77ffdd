/**
 * The MC146818 real-time clock and its CMOS RAM, ports 70h and 71h, IRQ 8.
 *
 * The time of day is the injected clock's Unix seconds plus what the guest set. Periodic interrupts come
 * in through `edge`. Motorola MC146818 data sheet; the PC's use of the RAM as in IBM's PC/AT technical
 * reference.
 *
 * Deviation: alarm and update-ended interrupts never come, and their flags in register C stay 0; PF is
 * set by edges that are injected only while PIE is 1.
 */
import { civilTime } from './civil-time.js';
import { checkStateLength, type Device, type ReadClock } from './device.js';
import { PIT_HZ } from './pit8254.js';
import type { PortBus } from './port-bus.js';
import { decodeTime, encodeTime, TIME_REGISTERS, type TimeFormat } from './rtc-time.js';

const PORT_INDEX = 0x70;
const PORT_DATA = 0x71;
/** Bit 7 of port 70h keeps NMI from the processor. */
const NMI_MASK = 0x80;
const CMOS_BYTES = 128;

const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;

const IS_TIME_REGISTER: ReadonlySet<number> = new Set(TIME_REGISTERS);

const A_UIP = 0x80;
/** DV bits: the divider runs from a crystal of 32768 Hz. */
const A_DIVIDER = 0x70;
const A_DIVIDER_RUNS = 0x20;
const A_FIRMWARE = 0x26;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_UIE = 0x10;
const B_BINARY = 0x04;
const B_24_HOURS = 0x02;
const C_IRQF = 0x80;
const C_PF = 0x40;
const D_VALID = 0x80;

const CRYSTAL_HZ = 32768;
/** UIP is set from 244 microseconds before an update to its end 1984 microseconds later, in PIT ticks. */
const UPDATE_TICKS = 2658;
const KIB = 1024;
const MIB = 1024 * KIB;

/** The clock and its RAM. */
export class RtcCmos implements Device {
  readonly name = 'rtc-cmos';
  /** Called when the interrupt line changes. */
  onInterrupt: (level: boolean) => void = () => undefined;

  readonly #readClock: ReadClock;
  readonly #memoryBytes: number;
  readonly #cmos = new Uint8Array(CMOS_BYTES);
  #index = 0;
  #isNmiMasked = false;
  /** What the guest set its clock ahead of Unix time. */
  #offsetSeconds = 0;
  /** What the guest set the day of the week ahead of the calendar, 0 to 6. */
  #weekdayShift = 0;

  /** @param memoryBytes the size of RAM that the CMOS bytes tell of. */
  constructor(ports: PortBus, memoryBytes: number, readClock: ReadClock) {
    this.#memoryBytes = memoryBytes;
    this.#readClock = readClock;
    ports.claim(PORT_INDEX, PORT_DATA, {
      read: (port) => (port === PORT_DATA ? this.#read() : 0xff),
      write: (port, _size, value) => {
        if (port === PORT_DATA) this.#write(value);
        else this.#writeIndex(value);
      },
    });
    this.reset();
  }

  /** Bit 7 of port 70h is set: NMI does not reach the processor. */
  get isNmiMasked(): boolean {
    return this.#isNmiMasked;
  }

  /** As firmware leaves it: running, BCD, 24 hours, no interrupt, with the sizes of memory. */
  reset(): void {
    this.#cmos.fill(0);
    this.#index = 0;
    this.#isNmiMasked = false;
    this.#offsetSeconds = 0;
    this.#weekdayShift = 0;
    this.#cmos[REGISTER_A] = A_FIRMWARE;
    this.#cmos[REGISTER_B] = B_24_HOURS;
    this.#cmos[REGISTER_D] = D_VALID;
    this.#storeSizes();
    this.onInterrupt(false);
  }

  /**
   * The PIT tick after `nowTicks` at which a periodic interrupt comes next, as things stand; Infinity where
   * none is enabled. Changes nothing. Live sources of input inject `{kind: 'irq', line: 8}` then.
   */
  nextEdge(nowTicks: number): number {
    const period = this.#periodInCrystalTicks();
    if (period === 0 || (this.#cmos[REGISTER_B] & B_PIE) === 0) return Infinity;
    // The divider runs since reset, so the edges are at multiples of the period.
    const crystalTicks = Math.floor((nowTicks * CRYSTAL_HZ) / PIT_HZ);
    for (let at = Math.floor(crystalTicks / period) * period; ; at += period) {
      const tick = Math.ceil((at * PIT_HZ) / CRYSTAL_HZ);
      if (tick > nowTicks) return tick;
    }
  }

  /** A period ends: sets PF, and requests an interrupt where PIE is 1 and register C was read since the last. */
  edge(): void {
    this.#cmos[REGISTER_C] |= C_PF;
    this.#updateInterrupt();
  }

  /** Index, NMI mask, offset, weekday shift, then the 128 bytes. */
  save(): number[] {
    return [
      this.#index,
      Number(this.#isNmiMasked),
      this.#offsetSeconds,
      this.#weekdayShift,
      ...this.#cmos,
    ];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 4 + CMOS_BYTES);
    this.#index = state[0];
    this.#isNmiMasked = state[1] !== 0;
    this.#offsetSeconds = state[2];
    this.#weekdayShift = state[3];
    this.#cmos.set(state.slice(4));
  }

  #writeIndex(value: number): void {
    this.#index = value & ~NMI_MASK & 0xff;
    this.#isNmiMasked = (value & NMI_MASK) !== 0;
  }

  #read(): number {
    const value = this.#cmos[this.#index];
    switch (this.#index) {
      case REGISTER_A:
        return value | (this.#isUpdating() ? A_UIP : 0);
      case REGISTER_C:
        this.#cmos[REGISTER_C] = 0;
        this.onInterrupt(false);
        return value;
      default:
        return this.#isRunningTime(this.#index)
          ? this.#timeRegister(this.#index, this.#now())
          : value;
    }
  }

  #write(value: number): void {
    switch (this.#index) {
      case REGISTER_A:
        this.#cmos[REGISTER_A] = value & ~A_UIP;
        this.#askForTime();
        break;
      case REGISTER_B:
        this.#writeB(value);
        this.#askForTime();
        break;
      case REGISTER_C:
      case REGISTER_D:
        break;
      default:
        if (this.#isRunningTime(this.#index)) {
          // Written while the clock runs: the other fields keep their present values.
          this.#storeTime();
          this.#cmos[this.#index] = value;
          this.#adoptTime();
        } else {
          this.#cmos[this.#index] = value;
        }
    }
  }

  #writeB(value: number): void {
    const before = this.#cmos[REGISTER_B];
    if ((value & B_SET) !== 0 && (before & B_SET) === 0) this.#storeTime();
    // SET clears UIE. MC146818 data sheet, "Register B".
    this.#cmos[REGISTER_B] = value & B_SET ? value & ~B_UIE : value;
    if ((value & B_SET) === 0 && (before & B_SET) !== 0) this.#adoptTime();
    this.#updateInterrupt();
  }

  /** Whoever drives the machine learns that edges may fall differently now when it is asked for the time. */
  #askForTime(): void {
    if ((this.#cmos[REGISTER_B] & B_PIE) !== 0) this.#readClock('pit');
  }

  #isRunningTime(index: number): boolean {
    return IS_TIME_REGISTER.has(index) && (this.#cmos[REGISTER_B] & B_SET) === 0;
  }

  #isUpdating(): boolean {
    const isRunning =
      (this.#cmos[REGISTER_B] & B_SET) === 0 &&
      (this.#cmos[REGISTER_A] & A_DIVIDER) === A_DIVIDER_RUNS;
    return isRunning && this.#readClock('pit', true) % PIT_HZ >= PIT_HZ - UPDATE_TICKS;
  }

  #updateInterrupt(): void {
    const isRequested =
      (this.#cmos[REGISTER_C] & C_PF) !== 0 && (this.#cmos[REGISTER_B] & B_PIE) !== 0;
    if (isRequested) this.#cmos[REGISTER_C] |= C_IRQF;
    else this.#cmos[REGISTER_C] &= ~C_IRQF;
    this.onInterrupt(isRequested);
  }

  /** A time register's present value in the format that register B chooses. */
  #timeRegister(index: number, seconds: number): number {
    const time = civilTime(seconds);
    return encodeTime(index, time, (time.weekday + this.#weekdayShift) % 7, this.#format);
  }

  /** Writes the present time into the registers, where it stands while SET is 1. */
  #storeTime(): void {
    const seconds = this.#now();
    for (const index of TIME_REGISTERS) this.#cmos[index] = this.#timeRegister(index, seconds);
  }

  /** Lets the clock run on from what the registers say. */
  #adoptTime(): void {
    const { seconds, weekday } = decodeTime(this.#cmos, this.#format);
    this.#offsetSeconds = seconds - this.#readClock('rtc', true);
    this.#weekdayShift = (((weekday - civilTime(seconds).weekday) % 7) + 7) % 7;
  }

  #now(): number {
    return this.#readClock('rtc', true) + this.#offsetSeconds;
  }

  get #format(): TimeFormat {
    return {
      isBinary: (this.#cmos[REGISTER_B] & B_BINARY) !== 0,
      has24Hours: (this.#cmos[REGISTER_B] & B_24_HOURS) !== 0,
    };
  }

  /** The period of RS bits in ticks of the crystal, or 0 where none. MC146818 data sheet, table 5. */
  #periodInCrystalTicks(): number {
    if ((this.#cmos[REGISTER_A] & A_DIVIDER) !== A_DIVIDER_RUNS) return 0;
    const rate = this.#cmos[REGISTER_A] & 15;
    if (rate === 0) return 0;
    return 1 << (rate <= 2 ? rate + 6 : rate - 1);
  }

  /** Base memory, extended memory up to 64 MiB in KiB, and beyond 16 MiB in units of 64 KiB. */
  #storeSizes(): void {
    const extendedKib = Math.min(0xffff, Math.max(0, this.#memoryBytes - MIB) / KIB);
    const beyond16 = Math.min(0xffff, Math.max(0, this.#memoryBytes - 16 * MIB) / (64 * KIB));
    this.#storeWord(0x15, 640);
    this.#storeWord(0x17, extendedKib);
    this.#storeWord(0x30, extendedKib);
    this.#storeWord(0x34, beyond16);
    // Equipment: 80-column display, no floppy, no x87.
    this.#cmos[0x14] = 0x20;
    const sum = this.#cmos.subarray(0x10, 0x2e).reduce((total, byte) => total + byte, 0);
    this.#cmos[0x2e] = sum >> 8;
    this.#cmos[0x2f] = sum;
  }

  #storeWord(index: number, value: number): void {
    this.#cmos[index] = value;
    this.#cmos[index + 1] = value >> 8;
  }
}
