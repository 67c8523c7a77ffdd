/**
 * One 8259A programmable interrupt controller: requests in, a vector's low three bits out.
 *
 * Names are the data sheet's (Intel 8259A data sheet, order 231468): IRR requests, ISR levels in
 * service, IMR mask, ICW1 to ICW4 initialisation, OCW1 to OCW3 operation.
 */
import { checkStateLength } from './device.js';

/** What the chip expects at its odd address: an ICW of the sequence, or OCW1. */
const EXPECT_OCW1 = 0;
const EXPECT_ICW2 = 2;
const EXPECT_ICW3 = 3;
const EXPECT_ICW4 = 4;

const ICW1_INIT = 0x10;
const ICW1_LTIM = 0x08;
const ICW1_SNGL = 0x02;
const ICW1_IC4 = 0x01;
const ICW4_SFNM = 0x10;
const ICW4_AEOI = 0x02;
const OCW3_SELECT = 0x08;
const OCW3_ESMM = 0x40;
const OCW3_SMM = 0x20;
const OCW3_POLL = 0x04;
const OCW3_RR = 0x02;
const OCW3_RIS = 0x01;
const OCW2_ROTATE = 0x80;
const OCW2_SPECIFIC = 0x40;
const OCW2_EOI = 0x20;
/** The poll byte's "there is a request". */
const POLL_REQUEST = 0x80;

const STATE_LENGTH = 18;

/** One chip. The wires between two of them are `Pic8259`'s matter. */
export class Pic8259Chip {
  /** Called when the INT output changes. */
  onOutput: (level: boolean) => void = () => undefined;

  readonly #firmwareBase: number;
  readonly #firmwareIcw3: number;
  #irr = 0;
  #isr = 0;
  #imr = 0;
  /** Levels of the IR inputs. */
  #lines = 0;
  #output = false;
  /** ICW2: the vector of level 0. */
  #base = 0;
  /** Of a master: inputs with a slave. Of a slave: its number. */
  #icw3 = 0;
  #isSingle = false;
  #needsIcw4 = false;
  #isLevelTriggered = false;
  /** The chipset's edge/level control register: these inputs are level-triggered. */
  #elcr = 0;
  #expected = EXPECT_OCW1;
  #hasAutoEoi = false;
  #rotatesOnAutoEoi = false;
  #isFullyNestedForSlaves = false;
  #hasSpecialMask = false;
  #readsIsr = false;
  #isPolled = false;
  /** The level with the lowest priority; the one above it (modulo 8) has the highest. */
  #lowest = 7;

  /** @param firmwareBase, firmwareIcw3 ICW2 and ICW3 as firmware programs them before a kernel starts. */
  constructor(firmwareBase: number, firmwareIcw3: number) {
    this.#firmwareBase = firmwareBase;
    this.#firmwareIcw3 = firmwareIcw3;
    this.reset(0);
  }

  /** The INT output. */
  get output(): boolean {
    return this.#output;
  }

  /** Requests, levels in service and the mask, as a debugger looks at them: nothing is polled. */
  get irr(): number {
    return this.#irr;
  }
  get isr(): number {
    return this.#isr;
  }
  get imr(): number {
    return this.#imr;
  }

  /** The level that an INTA cycle would serve now, or -1. */
  get pendingLevel(): number {
    return this.#request();
  }

  /** The vector of level 0: ICW2 with its low three bits clear. */
  get base(): number {
    return this.#base;
  }

  /** A slave's number on the cascade lines. */
  get slaveId(): number {
    return this.#icw3 & 7;
  }

  get elcr(): number {
    return this.#elcr;
  }

  /** Makes inputs level-triggered (bits set) or edge-triggered. */
  setElcr(levelTriggered: number): void {
    this.#elcr = levelTriggered & 0xff;
    this.#followLevels();
    this.#update(false);
  }

  /** True when ICW3 of this master says that a slave drives the input. */
  hasSlave(level: number): boolean {
    return !this.#isSingle && (this.#icw3 & (1 << level)) !== 0;
  }

  /**
   * As firmware leaves it: initialised in 8086 mode with normal EOI, every input masked, no request.
   * @param lines the inputs that are high.
   */
  reset(lines: number): void {
    this.#initialise();
    this.#lines = lines;
    this.#irr = 0;
    this.#imr = 0xff;
    this.#base = this.#firmwareBase;
    this.#icw3 = this.#firmwareIcw3;
    this.#isSingle = false;
    this.#needsIcw4 = true;
    this.#isLevelTriggered = false;
    this.#elcr = 0;
    this.#expected = EXPECT_OCW1;
    this.#setOutput(false);
  }

  /**
   * Sets the level of an IR input.
   *
   * A request that goes away before it is acknowledged leaves INT asserted when `holdsOutput` is true, and
   * the acknowledge cycle then finds the default, level 7 (8259A data sheet, "Level triggered mode" and
   * "Edge triggered mode": IR must stay high until the first INTA).
   * @returns true on a rising edge.
   */
  setLine(level: number, isHigh: boolean, holdsOutput = true): boolean {
    const bit = 1 << level;
    const isRising = isHigh && (this.#lines & bit) === 0;
    if (isHigh) {
      this.#lines |= bit;
      if (isRising) this.#irr |= bit;
      this.#update(true);
    } else if (this.#lines & bit) {
      this.#lines &= ~bit;
      this.#irr &= ~bit;
      this.#update(holdsOutput);
    }
    return isRising;
  }

  /**
   * This chip's part of an INTA cycle: the level that is served now enters ISR (or, with automatic EOI,
   * leaves it at once).
   * @returns the level, or -1 when there is no request: then the chip answers with level 7 and ISR is as
   *   before.
   */
  acknowledge(): number {
    const level = this.#request();
    if (level >= 0) {
      const bit = 1 << level;
      if ((this.#levelMask() & bit) === 0) this.#irr &= ~bit;
      if (!this.#hasAutoEoi) this.#isr |= bit;
      else if (this.#rotatesOnAutoEoi) this.#lowest = level;
    }
    // INT drops during INTA, so a master sees an edge when the next request of its slave follows.
    this.#setOutput(false);
    this.#update(false);
    return level;
  }

  /** Reads at address A0 = 0 (IRR or ISR) or A0 = 1 (IMR). After a poll command it is an INTA instead. */
  read(a0: 0 | 1): number {
    if (this.#isPolled) {
      this.#isPolled = false;
      const level = this.acknowledge();
      return level < 0 ? 0 : POLL_REQUEST | level;
    }
    if (a0 === 1) return this.#imr;
    return this.#readsIsr ? this.#isr : this.#irr;
  }

  /** Writes a command word at address A0 = 0 (ICW1, OCW2, OCW3) or A0 = 1 (ICW2 to ICW4, OCW1). */
  write(a0: 0 | 1, value: number): void {
    if (a0 === 1) this.#writeOdd(value);
    else if (value & ICW1_INIT) this.#writeIcw1(value);
    else if (value & OCW3_SELECT) this.#writeOcw3(value);
    else this.#writeOcw2(value);
    this.#update(false);
  }

  /** 18 numbers. */
  save(): number[] {
    return [
      this.#irr,
      this.#isr,
      this.#imr,
      this.#lines,
      Number(this.#output),
      this.#base,
      this.#icw3,
      Number(this.#isSingle),
      Number(this.#needsIcw4),
      Number(this.#isLevelTriggered),
      this.#elcr,
      this.#expected,
      Number(this.#hasAutoEoi) | (Number(this.#rotatesOnAutoEoi) << 1),
      Number(this.#isFullyNestedForSlaves),
      Number(this.#hasSpecialMask),
      Number(this.#readsIsr),
      Number(this.#isPolled),
      this.#lowest,
    ];
  }

  restore(state: readonly number[]): void {
    checkStateLength('pic8259 chip', state, STATE_LENGTH);
    this.#irr = state[0];
    this.#isr = state[1];
    this.#imr = state[2];
    this.#lines = state[3];
    this.#output = state[4] !== 0;
    this.#base = state[5];
    this.#icw3 = state[6];
    this.#isSingle = state[7] !== 0;
    this.#needsIcw4 = state[8] !== 0;
    this.#isLevelTriggered = state[9] !== 0;
    this.#elcr = state[10];
    this.#expected = state[11];
    this.#hasAutoEoi = (state[12] & 1) !== 0;
    this.#rotatesOnAutoEoi = (state[12] & 2) !== 0;
    this.#isFullyNestedForSlaves = state[13] !== 0;
    this.#hasSpecialMask = state[14] !== 0;
    this.#readsIsr = state[15] !== 0;
    this.#isPolled = state[16] !== 0;
    this.#lowest = state[17];
  }

  #writeIcw1(value: number): void {
    this.#initialise();
    this.#isLevelTriggered = (value & ICW1_LTIM) !== 0;
    this.#isSingle = (value & ICW1_SNGL) !== 0;
    this.#needsIcw4 = (value & ICW1_IC4) !== 0;
    this.#expected = EXPECT_ICW2;
    // The edge sense latches are cleared: an input that is high must fall and rise again to request.
    this.#irr = 0;
    this.#followLevels();
  }

  /** What ICW1 does to everything that it doesn't name. 8259A data sheet, "Initialization command words". */
  #initialise(): void {
    this.#imr = 0;
    this.#isr = 0;
    this.#lowest = 7;
    this.#hasSpecialMask = false;
    this.#readsIsr = false;
    this.#isPolled = false;
    this.#hasAutoEoi = false;
    this.#rotatesOnAutoEoi = false;
    this.#isFullyNestedForSlaves = false;
  }

  #writeOdd(value: number): void {
    switch (this.#expected) {
      case EXPECT_ICW2:
        this.#base = value & 0xf8;
        this.#expected = this.#isSingle ? this.#afterIcw3() : EXPECT_ICW3;
        break;
      case EXPECT_ICW3:
        this.#icw3 = value;
        this.#expected = this.#afterIcw3();
        break;
      case EXPECT_ICW4:
        // Deviation: bit 0 clear selects MCS-80 mode, whose CALL no i386 understands; we stay in 8086
        // mode. The buffered-mode bits only drive a pin that a PC leaves open.
        this.#hasAutoEoi = (value & ICW4_AEOI) !== 0;
        this.#isFullyNestedForSlaves = (value & ICW4_SFNM) !== 0;
        this.#expected = EXPECT_OCW1;
        break;
      default:
        this.#imr = value;
    }
  }

  #afterIcw3(): number {
    return this.#needsIcw4 ? EXPECT_ICW4 : EXPECT_OCW1;
  }

  #writeOcw2(value: number): void {
    const level = value & 7;
    switch (value & (OCW2_ROTATE | OCW2_SPECIFIC | OCW2_EOI)) {
      case OCW2_EOI:
        this.#endHighest();
        break;
      case OCW2_EOI | OCW2_SPECIFIC:
        this.#isr &= ~(1 << level);
        break;
      case OCW2_EOI | OCW2_ROTATE: {
        const ended = this.#endHighest();
        if (ended >= 0) this.#lowest = ended;
        break;
      }
      case OCW2_EOI | OCW2_ROTATE | OCW2_SPECIFIC:
        this.#isr &= ~(1 << level);
        this.#lowest = level;
        break;
      case OCW2_ROTATE | OCW2_SPECIFIC:
        this.#lowest = level;
        break;
      case OCW2_ROTATE:
        this.#rotatesOnAutoEoi = true;
        break;
      case 0:
        this.#rotatesOnAutoEoi = false;
        break;
      default: // OCW2_SPECIFIC alone: no operation
    }
  }

  /** Non-specific EOI: ends the level in service with the highest priority, and returns it or -1. */
  #endHighest(): number {
    // In special mask mode a level that IMR masks is not ended this way.
    const candidates = this.#hasSpecialMask ? this.#isr & ~this.#imr : this.#isr;
    for (let rank = 1; rank <= 8; rank++) {
      const level = (this.#lowest + rank) & 7;
      if (candidates & (1 << level)) {
        this.#isr &= ~(1 << level);
        return level;
      }
    }
    return -1;
  }

  #writeOcw3(value: number): void {
    if (value & OCW3_ESMM) this.#hasSpecialMask = (value & OCW3_SMM) !== 0;
    if (value & OCW3_POLL) this.#isPolled = true;
    else if (value & OCW3_RR) this.#readsIsr = (value & OCW3_RIS) !== 0;
  }

  #levelMask(): number {
    return this.#isLevelTriggered ? 0xff : this.#elcr;
  }

  /** Level-triggered inputs request as long as they are high. */
  #followLevels(): void {
    const levels = this.#levelMask();
    this.#irr = (this.#irr & ~levels) | (this.#lines & levels);
  }

  /** The level that would be acknowledged now, or -1. */
  #request(): number {
    if (this.#expected !== EXPECT_OCW1) return -1;
    const pending = this.#irr & ~this.#imr;
    if (pending === 0) return -1;
    // Special mask mode: a masked level in service holds nobody off.
    const inService = this.#hasSpecialMask ? this.#isr & ~this.#imr : this.#isr;
    for (let rank = 1; rank <= 8; rank++) {
      const level = (this.#lowest + rank) & 7;
      const bit = 1 << level;
      const isServed = (inService & bit) !== 0;
      if (pending & bit) {
        if (!isServed || (this.#isFullyNestedForSlaves && this.hasSlave(level))) return level;
      }
      if (isServed) return -1;
    }
    return -1;
  }

  #update(holdsOutput: boolean): void {
    if (this.#request() >= 0) this.#setOutput(true);
    else if (!holdsOutput) this.#setOutput(false);
  }

  #setOutput(level: boolean): void {
    if (this.#output === level) return;
    this.#output = level;
    this.onOutput(level);
  }
}
