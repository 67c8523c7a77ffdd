/**
 * The 16550 UART of COM1: ports 3F8h to 3FFh, IRQ 4.
 *
 * Bytes take no time: what the guest writes is sent at once, and received bytes arrive by injection. So
 * THR is empty whenever the guest looks, and every interrupt follows from accesses and arrivals alone.
 * National Semiconductor PC16550D data sheet.
 *
 * Deviation: the character timeout, on hardware four character times, passes at once, so a byte below the
 * FIFO's trigger level interrupts without delay. Parity, framing and break don't exist.
 */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

const FIRST_PORT = 0x3f8;
const FIFO_BYTES = 16;

const IER_RECEIVED = 0x01;
const IER_THR_EMPTY = 0x02;
const IER_LINE_STATUS = 0x04;
const IER_MODEM_STATUS = 0x08;
const IIR_NONE = 0x01;
const IIR_MODEM_STATUS = 0x00;
const IIR_THR_EMPTY = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_LINE_STATUS = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFO = 0xc0;
const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const LCR_DLAB = 0x80;
const MCR_DTR = 0x01;
const MCR_RTS = 0x02;
const MCR_OUT1 = 0x04;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;
const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_THR_EMPTY = 0x20;
const LSR_TRANSMITTER_EMPTY = 0x40;
const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_RI = 0x40;
const MSR_DCD = 0x80;
/** The far end is there and ready. */
const MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD;
/** Received bytes that make the FIFO interrupt, by FCR bits 6 and 7. */
const TRIGGER_LEVELS = [1, 4, 8, 14];
/** 9600 baud. */
const FIRMWARE_DIVISOR = 12;

const STATE_LENGTH = 11;

/** COM1. */
export class Uart16550 implements Device {
  readonly name = 'uart16550';
  /** Called when the interrupt line changes. */
  onInterrupt: (level: boolean) => void = () => undefined;
  /** Called with each byte that leaves the chip. */
  onOutput: (byte: number) => void = () => undefined;

  #ier = 0;
  #fcr = 0;
  #lcr = 0;
  #mcr = 0;
  #scratch = 0;
  #divisor = FIRMWARE_DIVISOR;
  #hasOverrun = false;
  /** "THR is empty" was not yet reported by IIR. */
  #reportsThrEmpty = false;
  /** MSR bits 0 to 3: which inputs changed since MSR was read. */
  #modemDelta = 0;
  #isInterrupting = false;
  /** Received and not read, oldest first: one byte, or up to 16 with the FIFO on. */
  #received: number[] = [];

  constructor(ports: PortBus) {
    ports.claim(FIRST_PORT, FIRST_PORT + 7, {
      read: (port) => this.#read(port & 7),
      write: (port, _size, value) => this.#write(port & 7, value),
    });
  }

  /** Another byte may arrive without an overrun. Not the guest's to see. */
  get hasRoom(): boolean {
    return this.#received.length < this.#capacity;
  }

  /** The guest wants an interrupt when a byte arrives. */
  get isListening(): boolean {
    return (this.#ier & IER_RECEIVED) !== 0;
  }

  /** A byte arrives on the line. In loopback mode the line is not connected, and the byte is lost. */
  receive(byte: number): void {
    if ((this.#mcr & MCR_LOOP) === 0) this.#shiftIn(byte & 0xff);
  }

  /** As a master reset leaves it, at 9600 baud. PC16550D data sheet, table I. */
  reset(): void {
    this.#ier = 0;
    this.#fcr = 0;
    this.#lcr = 0;
    this.#mcr = 0;
    this.#scratch = 0;
    this.#divisor = FIRMWARE_DIVISOR;
    this.#hasOverrun = false;
    this.#reportsThrEmpty = false;
    this.#modemDelta = 0;
    this.#received = [];
    this.#update();
  }

  /** 11 registers, then the received bytes. */
  save(): number[] {
    return [
      this.#ier,
      this.#fcr,
      this.#lcr,
      this.#mcr,
      this.#scratch,
      this.#divisor,
      Number(this.#hasOverrun),
      Number(this.#reportsThrEmpty),
      this.#modemDelta,
      Number(this.#isInterrupting),
      this.#received.length,
      ...this.#received,
    ];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, STATE_LENGTH + state[STATE_LENGTH - 1]);
    this.#ier = state[0];
    this.#fcr = state[1];
    this.#lcr = state[2];
    this.#mcr = state[3];
    this.#scratch = state[4];
    this.#divisor = state[5];
    this.#hasOverrun = state[6] !== 0;
    this.#reportsThrEmpty = state[7] !== 0;
    this.#modemDelta = state[8];
    this.#isInterrupting = state[9] !== 0;
    this.#received = state.slice(STATE_LENGTH);
  }

  #read(register: number): number {
    switch (register) {
      case 0:
        return this.#isDivisorSelected ? this.#divisor & 0xff : this.#readReceived();
      case 1:
        return this.#isDivisorSelected ? this.#divisor >> 8 : this.#ier;
      case 2:
        return this.#readIir();
      case 3:
        return this.#lcr;
      case 4:
        return this.#mcr;
      case 5:
        return this.#readLsr();
      case 6:
        return this.#readMsr();
      default:
        return this.#scratch;
    }
  }

  #write(register: number, value: number): void {
    switch (register) {
      case 0:
        if (this.#isDivisorSelected) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#transmit(value);
        break;
      case 1:
        if (this.#isDivisorSelected) this.#divisor = (this.#divisor & 0xff) | (value << 8);
        else this.#writeIer(value & 0x0f);
        break;
      case 2:
        this.#writeFcr(value);
        break;
      case 3:
        this.#lcr = value;
        break;
      case 4:
        this.#writeMcr(value & 0x1f);
        break;
      case 7:
        this.#scratch = value;
        break;
      default: // LSR and MSR: writes are for the factory's tests
    }
  }

  get #isDivisorSelected(): boolean {
    return (this.#lcr & LCR_DLAB) !== 0;
  }

  get #isFifo(): boolean {
    return (this.#fcr & FCR_ENABLE) !== 0;
  }

  /** Received bytes that the chip can hold. */
  get #capacity(): number {
    return this.#isFifo ? FIFO_BYTES : 1;
  }

  #readReceived(): number {
    const byte = this.#received.shift() ?? 0;
    this.#update();
    return byte;
  }

  #transmit(byte: number): void {
    // The interrupt goes away with the write and comes back once the byte is out: an edge to the PIC.
    this.#reportsThrEmpty = false;
    this.#update();
    if (this.#mcr & MCR_LOOP) this.#shiftIn(byte);
    else this.onOutput(byte);
    this.#reportsThrEmpty = true;
    this.#update();
  }

  #shiftIn(byte: number): void {
    if (this.hasRoom) {
      this.#received.push(byte);
    } else {
      this.#hasOverrun = true;
      // A full FIFO keeps what it has; RBR alone is overwritten.
      if (!this.#isFifo) this.#received[0] = byte;
    }
    this.#update();
  }

  #writeIer(value: number): void {
    const enabled = value & ~this.#ier;
    this.#ier = value;
    if (enabled & IER_THR_EMPTY) this.#reportsThrEmpty = true;
    this.#update();
  }

  #writeFcr(value: number): void {
    const toggles = ((value ^ this.#fcr) & FCR_ENABLE) !== 0;
    // The other bits count only while bit 0 is written as 1.
    if ((value & FCR_ENABLE) === 0) this.#fcr = 0;
    else this.#fcr = value & 0xc9;
    if (toggles || (value & (FCR_ENABLE | FCR_RESET_RECEIVER)) === 3) this.#received = [];
    this.#update();
  }

  #writeMcr(value: number): void {
    const before = this.#modemInputs();
    this.#mcr = value;
    const changed = before ^ this.#modemInputs();
    if (changed & MSR_CTS) this.#modemDelta |= 1;
    if (changed & MSR_DSR) this.#modemDelta |= 2;
    // The ring indicator's trailing edge alone.
    if (changed & before & MSR_RI) this.#modemDelta |= 4;
    if (changed & MSR_DCD) this.#modemDelta |= 8;
    this.#update();
  }

  /** MSR bits 4 to 7: in loopback mode the chip's own outputs. */
  #modemInputs(): number {
    if ((this.#mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
    return (
      (this.#mcr & MCR_RTS ? MSR_CTS : 0) |
      (this.#mcr & MCR_DTR ? MSR_DSR : 0) |
      (this.#mcr & MCR_OUT1 ? MSR_RI : 0) |
      (this.#mcr & MCR_OUT2 ? MSR_DCD : 0)
    );
  }

  #readLsr(): number {
    const status =
      LSR_THR_EMPTY |
      LSR_TRANSMITTER_EMPTY |
      (this.#received.length > 0 ? LSR_DATA_READY : 0) |
      (this.#hasOverrun ? LSR_OVERRUN : 0);
    this.#hasOverrun = false;
    this.#update();
    return status;
  }

  #readMsr(): number {
    const status = this.#modemInputs() | this.#modemDelta;
    this.#modemDelta = 0;
    this.#update();
    return status;
  }

  #readIir(): number {
    const cause = this.#cause();
    if (cause === IIR_THR_EMPTY) {
      this.#reportsThrEmpty = false;
      this.#update();
    }
    return cause | (this.#isFifo ? IIR_FIFO : 0);
  }

  /** IIR bits 0 to 3: the cause with the highest priority. */
  #cause(): number {
    if (this.#ier & IER_LINE_STATUS && this.#hasOverrun) return IIR_LINE_STATUS;
    if (this.#ier & IER_RECEIVED && this.#received.length > 0) {
      const trigger = this.#isFifo ? TRIGGER_LEVELS[this.#fcr >> 6] : 1;
      return this.#received.length >= trigger ? IIR_RECEIVED : IIR_TIMEOUT;
    }
    if (this.#ier & IER_THR_EMPTY && this.#reportsThrEmpty) return IIR_THR_EMPTY;
    if (this.#ier & IER_MODEM_STATUS && this.#modemDelta !== 0) return IIR_MODEM_STATUS;
    return IIR_NONE;
  }

  /** OUT 2 connects a PC's UART to the interrupt controller; loopback mode disconnects OUT 2. */
  #update(): void {
    const isConnected = (this.#mcr & (MCR_OUT2 | MCR_LOOP)) === MCR_OUT2;
    const level = isConnected && this.#cause() !== IIR_NONE;
    if (level === this.#isInterrupting) return;
    this.#isInterrupting = level;
    this.onInterrupt(level);
  }
}
