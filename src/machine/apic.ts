/**
 * The local APIC of the one processor: an xAPIC, its registers in a page of physical memory, FEE00000h
 * unless MSR 1Bh moves it. Time comes in through `ReadClock` and `timerEdge`; the 8259s' INTR is LINT0,
 * NMI is LINT1. Intel SDM vol. 3A, chapter 10.
 *
 * There is no other processor and no I/O APIC: what is sent to others goes nowhere, and ending a level's
 * service tells nobody. Deviations: SMI and start-up messages do nothing, pins are always active high,
 * and the thermal and performance entries of the vector table never fire. The manual leaves accesses open
 * that are not 32 bits wide at a multiple of 16: here such reads see the register's bytes, and zeros
 * beyond them, and such writes are lost.
 */
import type { AccessSize, LocalApicMsr } from '../cpu/bus.js';
import { ApicBase } from './apic-base.js';
import { isForSender, isInit } from './apic-command.js';
import * as R from './apic-registers.js';
import { ApicTimer } from './apic-timer.js';
import { ApicVectors, FIRST_VECTOR, IRR, ISR, TMR } from './apic-vectors.js';
import { checkStateLength, type Device, type ReadClock } from './device.js';
import { LINE_APIC_TIMER, LINE_APIC_VECTOR } from './input.js';

/** Version 14h of xAPIC, and the number of the last entry of the vector table. */
const VERSION = ((R.LVT.length - 1) << 16) | 0x14;
/** Words of `#registers`, and numbers of the state that are not those of one of the parts. */
const REGISTERS = R.REGISTERS_END >>> 4;
const OWN_STATE = REGISTERS + 4;

export class Apic implements Device, LocalApicMsr {
  readonly name = 'apic';
  /** Called with the level of the processor's INTR pin, whenever it may have changed. */
  onInterruptPin: (level: boolean) => void = () => undefined;
  /** Called for each NMI that reaches the processor. */
  onNmi: () => void = () => undefined;
  /** Called when the processor sends itself an INIT. */
  onInit: () => void = () => undefined;
  /** Called when the APIC itself requests an interrupt: see input.ts for the lines. */
  onRequest: (line: number) => void = () => undefined;
  /** Called when the registers may have moved, appeared or gone. */
  onMove: () => void = () => undefined;

  readonly #readClock: ReadClock;
  readonly #base = new ApicBase();
  readonly #vectors = new ApicVectors();
  readonly #timer = new ApicTimer();
  /** Registers that keep their value, by offset / 16. */
  readonly #registers = new Int32Array(REGISTERS);
  /** Errors since ESR was written last, and those that it shows. */
  #errors = 0;
  #errorStatus = 0;
  #lint0 = false;
  #acknowledgedLine = LINE_APIC_VECTOR;

  constructor(readClock: ReadClock) {
    this.#readClock = readClock;
    this.reset();
  }

  /** MSR 1Bh bit 11. Where it is clear the processor is one without an APIC, and says so in CPUID. */
  get isEnabled(): boolean {
    return this.#base.isEnabled;
  }

  /** The physical address of the page of registers, unsigned; -1 where there is none below 4 GiB. */
  get window(): number {
    return this.#base.window;
  }

  /** The INTR pin of the processor. */
  get interruptPin(): boolean {
    if (!this.isEnabled) return this.#lint0;
    return this.#vectors.deliverable >= 0 || this.#hasExternalInterrupt;
  }

  /** The vector of its own that `acknowledge` would return now, or -1. Changes nothing. */
  get pendingVector(): number {
    return this.isEnabled ? this.#vectors.deliverable : -1;
  }

  /** Interrupts of the 8259s come as NMI, and so wake a processor that takes no interrupts. */
  get turnsInterruptsIntoNmi(): boolean {
    return this.isEnabled && this.#isOpen(R.LVT_LINT0, R.MODE_NMI);
  }

  /** The line that the last `acknowledge` served that returned a vector. */
  get acknowledgedLine(): number {
    return this.#acknowledgedLine;
  }

  get baseLow(): number {
    return this.#base.low;
  }
  get baseHigh(): number {
    return this.#base.high;
  }

  /** Turned off, the APIC forgets all, and is as after a reset when it is turned on again. */
  writeBase(low: number, high: number): boolean {
    const wasEnabled = this.isEnabled;
    if (!this.#base.write(low, high)) return false;
    if (this.isEnabled !== wasEnabled) this.#clearRegisters();
    this.onMove();
    this.#updatePin();
    return true;
  }

  /** Reads at an offset within the page. 4 bytes come signed. */
  read(offset: number, size: AccessSize): number {
    const value = this.#readRegister(offset & 0xff0);
    const first = offset & 15;
    if (first + size > 4) return 0;
    if (size === 4) return value;
    return (value >>> (first * 8)) & (size === 2 ? 0xffff : 0xff);
  }

  /** Writes at an offset within the page. */
  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || (offset & 15) !== 0) return;
    this.#writeRegister(offset & 0xff0, value | 0);
    this.#updatePin();
  }

  /** The level of the 8259s' INTR, at LINT0. */
  setLint0(isHigh: boolean): void {
    const isRising = isHigh && !this.#lint0;
    this.#lint0 = isHigh;
    if (this.isEnabled && isRising) {
      if (this.#isOpen(R.LVT_LINT0, R.MODE_NMI)) this.onNmi();
      else if (this.#get(R.LVT_LINT0) & R.LVT_LEVEL) this.#sampleLint0();
      else this.#fire(R.LVT_LINT0);
    }
    this.#updatePin();
  }

  /** An edge of NMI, at LINT1. */
  edgeLint1(): void {
    if (!this.isEnabled || this.#isOpen(R.LVT_LINT1, R.MODE_NMI)) this.onNmi();
    else this.#fire(R.LVT_LINT1);
    this.#updatePin();
  }

  /**
   * The tick of the `apic` clock after `now` at which the timer requests its interrupt next, as things
   * stand; Infinity where never. Changes nothing. Live sources inject `LINE_APIC_TIMER` then.
   */
  nextEdge(now: number): number {
    const isMasked = (this.#get(R.LVT_TIMER) & R.LVT_MASKED) !== 0;
    return this.isEnabled && !isMasked ? this.#timer.nextExpiry(now) : Number.POSITIVE_INFINITY;
  }

  /** The timer expires. */
  timerEdge(): void {
    // It may have been stopped while the edge was under way.
    if (this.isEnabled && this.#timer.initialCount !== 0) this.#fire(R.LVT_TIMER);
    this.#updatePin();
  }

  /** Requests the timer's interrupt, as its entry of the vector table says, whatever the timer does. */
  fireTimerEntry(): void {
    if (this.isEnabled) this.#fire(R.LVT_TIMER);
    this.#updatePin();
  }

  /** Takes the interrupt for the processor. @returns the vector, or -1: the 8259s are to be asked. */
  acknowledge(): number {
    if (!this.isEnabled) return -1;
    const vector = this.#vectors.deliverable;
    if (vector < 0 && this.#hasExternalInterrupt) return -1;
    const given = vector < 0 ? this.#get(R.SVR) & R.LVT_VECTOR : vector;
    const isTimer = vector >= 0 && this.#vectors.acknowledge(vector);
    this.#acknowledgedLine = isTimer ? LINE_APIC_TIMER : LINE_APIC_VECTOR + given;
    this.#updatePin();
    return given;
  }

  /**
   * As firmware leaves it for a kernel: enabled, as a "virtual wire" through which interrupts of the 8259s
   * and NMI come as if there were no APIC.
   */
  reset(): void {
    this.powerUp();
    this.#set(R.SVR, R.VIRTUAL_WIRE_SVR);
    this.#set(R.LVT_LINT0, R.VIRTUAL_WIRE_LINT0);
    this.#set(R.LVT_LINT1, R.VIRTUAL_WIRE_LINT1);
  }

  /** As hardware comes up, for firmware. Intel SDM vol. 3A §10.4.7.1. */
  powerUp(): void {
    this.#base.reset();
    this.#lint0 = false;
    this.#acknowledgedLine = LINE_APIC_VECTOR;
    this.#clearRegisters();
    this.onMove();
  }

  save(): number[] {
    return [
      ...this.#registers,
      this.#errors,
      this.#errorStatus,
      Number(this.#lint0),
      this.#acknowledgedLine,
      ...this.#base.save(),
      ...this.#vectors.save(),
      ...this.#timer.save(),
    ];
  }

  restore(state: readonly number[]): void {
    const vectorsAt = OWN_STATE + ApicBase.stateLength;
    const timerAt = vectorsAt + ApicVectors.stateLength;
    checkStateLength(this.name, state, timerAt + ApicTimer.stateLength);
    this.#registers.set(state.slice(0, REGISTERS));
    [this.#errors, this.#errorStatus] = state.slice(REGISTERS);
    this.#lint0 = state[REGISTERS + 2] !== 0;
    this.#acknowledgedLine = state[REGISTERS + 3];
    this.#base.restore(state.slice(OWN_STATE, vectorsAt));
    this.#vectors.restore(state.slice(vectorsAt, timerAt));
    this.#timer.restore(state.slice(timerAt));
  }

  #clearRegisters(): void {
    this.#registers.fill(0);
    this.#set(R.DFR, R.DFR_FLAT);
    this.#set(R.SVR, 0xff);
    for (const entry of R.LVT) this.#set(entry, R.LVT_MASKED);
    this.#errors = 0;
    this.#errorStatus = 0;
    this.#vectors.reset();
    this.#timer.reset();
  }

  #get(register: number): number {
    return this.#registers[register >>> 4];
  }

  #set(register: number, value: number): void {
    this.#registers[register >>> 4] = value;
  }

  #updatePin(): void {
    this.onInterruptPin(this.interruptPin);
  }

  get #hasExternalInterrupt(): boolean {
    return this.#lint0 && this.#isOpen(R.LVT_LINT0, R.MODE_EXTINT);
  }

  /** The entry of the vector table delivers in this mode. */
  #isOpen(entry: number, mode: number): boolean {
    const value = this.#get(entry);
    return (value & R.LVT_MASKED) === 0 && R.deliveryMode(value) === mode;
  }

  #readRegister(register: number): number {
    if (R.WRITABLE.has(register)) return this.#get(register);
    if (register >= R.ISR_FIRST && register < R.IRR_END) {
      const set = register < R.TMR_FIRST ? ISR : register < R.IRR_FIRST ? TMR : IRR;
      return this.#vectors.word(set, (register >>> 4) & 7);
    }
    switch (register) {
      case R.VERSION:
        return VERSION;
      case R.TPR:
        return this.#vectors.taskPriority;
      case R.PPR:
        return this.#vectors.processorPriority;
      case R.ESR:
        return this.#errorStatus;
      case R.INITIAL_COUNT:
        return this.#timer.initialCount | 0;
      case R.CURRENT_COUNT:
        return this.#timer.currentCount(this.#readClock('apic', true)) | 0;
      default:
        this.#checkExists(register);
        return 0;
    }
  }

  #writeRegister(register: number, value: number): void {
    const writable = R.WRITABLE.get(register);
    if (writable !== undefined) {
      const before = this.#get(register);
      this.#set(register, (before & ~writable) | (value & writable));
      this.#hasWritten(register, before);
      return;
    }
    switch (register) {
      case R.TPR:
        this.#vectors.taskPriority = value & 0xff;
        break;
      case R.EOI:
        this.#endOfInterrupt();
        break;
      case R.ESR:
        this.#errorStatus = this.#errors;
        this.#errors = 0;
        break;
      case R.INITIAL_COUNT:
        this.#timer.start(value >>> 0, this.#readClock('apic'));
        break;
      default:
        this.#checkExists(register);
    }
  }

  /** What follows from a new value in a register that keeps it. */
  #hasWritten(register: number, before: number): void {
    // While software disables it, the whole vector table is masked. Intel SDM vol. 3A §10.4.7.2.
    if ((this.#get(R.SVR) & R.SVR_ENABLED) === 0) {
      for (const entry of R.LVT) this.#set(entry, this.#get(entry) | R.LVT_MASKED);
    }
    const value = this.#get(register);
    switch (register) {
      case R.LVT_TIMER: {
        // Whoever drives the machine learns here that the timer may now interrupt at other times.
        const now = this.#readClock('apic');
        if (before & R.LVT_MASKED) this.#timer.forgetPast(now);
        this.#timer.setPeriodic((value & R.LVT_PERIODIC) !== 0, now);
        break;
      }
      case R.DIVIDE:
        this.#timer.setDivide(value, this.#readClock('apic'));
        break;
      case R.LVT_LINT0:
        if (value & R.LVT_LEVEL) this.#sampleLint0();
        else this.#set(register, value & ~R.LVT_REMOTE_IRR);
        break;
      case R.ICR_LOW:
        this.#send();
        break;
    }
  }

  #checkExists(register: number): void {
    const isVectorSet = register >= R.ISR_FIRST && register < R.IRR_END;
    if (isVectorSet || R.SPECIAL.has(register)) return;
    this.#fail(R.ERROR_ILLEGAL_REGISTER);
    this.#updatePin();
  }

  /** LINT0 is a level: requests its interrupt where it is high and its last request was ended. */
  #sampleLint0(): void {
    const value = this.#get(R.LVT_LINT0);
    const isWaiting = this.#lint0 && (value & R.LVT_REMOTE_IRR) === 0;
    if (!isWaiting || !this.#isOpen(R.LVT_LINT0, R.MODE_FIXED)) return;
    this.#set(R.LVT_LINT0, value | R.LVT_REMOTE_IRR);
    this.#fire(R.LVT_LINT0);
  }

  #endOfInterrupt(): void {
    const vector = this.#vectors.endOfInterrupt();
    const lint0 = this.#get(R.LVT_LINT0);
    if ((lint0 & R.LVT_REMOTE_IRR) === 0 || vector !== (lint0 & R.LVT_VECTOR)) return;
    this.#set(R.LVT_LINT0, lint0 & ~R.LVT_REMOTE_IRR);
    this.#sampleLint0();
  }

  /** Requests the interrupt of an entry of the vector table, where that is open and a fixed one. */
  #fire(entry: number): void {
    if (!this.#isOpen(entry, R.MODE_FIXED)) return;
    const value = this.#get(entry);
    const vector = value & R.LVT_VECTOR;
    if (vector >= FIRST_VECTOR) {
      this.#request(vector, (value & R.LVT_LEVEL) !== 0, entry === R.LVT_TIMER);
    } else if (entry === R.LVT_ERROR) {
      this.#errors |= R.ERROR_RECEIVE_ILLEGAL_VECTOR;
    } else {
      this.#fail(R.ERROR_RECEIVE_ILLEGAL_VECTOR);
    }
  }

  #request(vector: number, isLevel: boolean, isTimer: boolean): void {
    this.#vectors.request(vector, isLevel, isTimer);
    this.onRequest(isTimer ? LINE_APIC_TIMER : LINE_APIC_VECTOR + vector);
  }

  #fail(error: number): void {
    this.#errors |= error;
    this.#fire(R.LVT_ERROR);
  }

  /** Sends what the ICR says. There is one processor: it comes here, or goes nowhere. */
  #send(): void {
    const low = this.#get(R.ICR_LOW);
    const mode = R.deliveryMode(low);
    const vector = low & R.LVT_VECTOR;
    const isOrdinary = mode === R.MODE_FIXED || mode === R.MODE_LOWEST_PRIORITY;
    if (isOrdinary && vector < FIRST_VECTOR) {
      this.#fail(R.ERROR_SEND_ILLEGAL_VECTOR);
      return;
    }
    const isForMe = isForSender({
      low,
      high: this.#get(R.ICR_HIGH),
      id: this.#get(R.ID),
      logicalDestination: this.#get(R.LDR),
      destinationFormat: this.#get(R.DFR),
    });
    if (!isForMe) return;
    if (isOrdinary) {
      // One that software has disabled takes no interrupts. Intel SDM vol. 3A §10.4.7.2.
      if (this.#get(R.SVR) & R.SVR_ENABLED) this.#request(vector, false, false);
    } else if (mode === R.MODE_NMI) {
      this.onNmi();
    } else if (isInit(low)) {
      this.onInit();
    }
  }
}
