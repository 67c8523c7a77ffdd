/**
 * The PC's pair of 8259A interrupt controllers: the slave's INT drives IR2 of the master. Lines are
 * numbered 0 to 15 as IRQs are; line 2 is the cascade and nobody else's.
 *
 * Intel 8259A data sheet (order 231468); edge/level control registers 4D0h and 4D1h as in Intel's 82371
 * (PIIX) data sheet, "ELCR1, ELCR2".
 */
import { checkStateLength, type Device } from './device.js';
import { Pic8259Chip } from './pic8259-chip.js';
import type { PortBus } from './port-bus.js';

const CASCADE_LINE = 2;
/** IRQ 0, 1 and 2 of the master and 8 and 13 of the slave are always edge-triggered. */
const ELCR_MASTER_WRITABLE = 0xf8;
const ELCR_SLAVE_WRITABLE = 0xde;
/** What the CPU reads when no chip drives the data bus. */
const FLOATING_BUS = 0xff;
/** Of one chip. */
const STATE_LENGTH = 18;

/** Both controllers, at ports 20h, A0h and 4D0h. */
export class Pic8259 implements Device {
  readonly name = 'pic8259';
  /** Called when the CPU's INTR pin changes. */
  onInterruptPin: (level: boolean) => void = () => undefined;
  /** Called on each rising edge of a line, whatever becomes of it. */
  onRisingEdge: (line: number) => void = () => undefined;

  readonly #master = new Pic8259Chip(0x08, 1 << CASCADE_LINE);
  readonly #slave = new Pic8259Chip(0x70, CASCADE_LINE);
  #acknowledgedLine = 0;

  constructor(ports: PortBus) {
    this.#master.onOutput = (level) => this.onInterruptPin(level);
    // A withdrawn INT of the slave (it was masked, say) leaves no spurious request at the master; a slave
    // whose own input dropped keeps its INT up by itself.
    this.#slave.onOutput = (level) => void this.#master.setLine(CASCADE_LINE, level, false);
    ports.claim(0x20, 0x21, {
      read: (port) => this.#master.read(port === 0x20 ? 0 : 1),
      write: (port, _size, value) => this.#master.write(port === 0x20 ? 0 : 1, value),
    });
    ports.claim(0xa0, 0xa1, {
      read: (port) => this.#slave.read(port === 0xa0 ? 0 : 1),
      write: (port, _size, value) => this.#slave.write(port === 0xa0 ? 0 : 1, value),
    });
    ports.claim(0x4d0, 0x4d1, {
      read: (port) => (port === 0x4d0 ? this.#master : this.#slave).elcr,
      write: (port, _size, value) => {
        if (port === 0x4d0) this.#master.setElcr(value & ELCR_MASTER_WRITABLE);
        else this.#slave.setElcr(value & ELCR_SLAVE_WRITABLE);
      },
    });
    this.reset();
  }

  /** The CPU's INTR pin. */
  get interruptPin(): boolean {
    return this.#master.output;
  }

  // Each with the master's eight bits below the slave's.

  /** Lines that request. */
  get irr(): number {
    return this.#master.irr | (this.#slave.irr << 8);
  }
  /** Lines in service. */
  get isr(): number {
    return this.#master.isr | (this.#slave.isr << 8);
  }
  /** Lines that are masked. */
  get imr(): number {
    return this.#master.imr | (this.#slave.imr << 8);
  }

  /** The vector that `acknowledge` would return now; -1 while INT is low. Changes nothing. */
  get pendingVector(): number {
    if (!this.#master.output) return -1;
    const level = this.#master.pendingLevel;
    if (level < 0) return this.#master.base | 7;
    if (!this.#master.hasSlave(level)) return this.#master.base | level;
    if (level !== CASCADE_LINE || this.#slave.slaveId !== level) return FLOATING_BUS;
    const inner = this.#slave.pendingLevel;
    return this.#slave.base | (inner < 0 ? 7 : inner);
  }

  /** The line that the last `acknowledge` served: 7 or 15 where it was spurious. */
  get acknowledgedLine(): number {
    return this.#acknowledgedLine;
  }

  /** Sets the level of an IRQ line. @param line 0 to 15, not 2. */
  setLine(line: number, isHigh: boolean): void {
    const isRising =
      line < 8 ? this.#master.setLine(line, isHigh) : this.#slave.setLine(line - 8, isHigh);
    if (isRising) this.onRisingEdge(line);
  }

  /** Makes a rising edge on a line that then stays high until the next pulse. */
  pulse(line: number): void {
    this.setLine(line, false);
    this.setLine(line, true);
  }

  /**
   * Runs the CPU's INTA cycle.
   * @returns the vector, 0 to 255. Where the request has gone away: level 7 of the chip that was asked,
   *   whose ISR then stays as it was (the master's knows of the slave all the same).
   */
  acknowledge(): number {
    const level = this.#master.acknowledge();
    if (level < 0) {
      this.#acknowledgedLine = 7;
      return this.#master.base | 7;
    }
    this.#acknowledgedLine = level;
    if (!this.#master.hasSlave(level)) return this.#master.base | level;
    if (level !== CASCADE_LINE || this.#slave.slaveId !== level) return FLOATING_BUS;
    const inner = this.#slave.acknowledge();
    const slaveLevel = inner < 0 ? 7 : inner;
    this.#acknowledgedLine = 8 + slaveLevel;
    return this.#slave.base | slaveLevel;
  }

  /** As firmware leaves it: vectors 08h and 70h, everything masked. Only OUT of timer 0 is high. */
  reset(): void {
    this.#master.reset(1);
    this.#slave.reset(0);
    this.#acknowledgedLine = 0;
  }

  /** Master, slave, and the line acknowledged last. */
  save(): number[] {
    return [...this.#master.save(), ...this.#slave.save(), this.#acknowledgedLine];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, 2 * STATE_LENGTH + 1);
    this.#master.restore(state.slice(0, STATE_LENGTH));
    this.#slave.restore(state.slice(STATE_LENGTH, 2 * STATE_LENGTH));
    this.#acknowledgedLine = state[2 * STATE_LENGTH];
  }
}
