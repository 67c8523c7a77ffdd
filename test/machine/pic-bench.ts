/** A pair of interrupt controllers on a bus, and the command words that tests give them. */
import { Pic8259 } from '../../src/machine/pic8259.js';
import { PortBus } from '../../src/machine/port-bus.js';

export const MASTER = 0x20;
export const SLAVE = 0xa0;
export const EOI = 0x20;
export const SPECIFIC_EOI = 0x60;
export const ROTATE_EOI = 0xa0;
export const ROTATE_SPECIFIC_EOI = 0xe0;
export const SET_PRIORITY = 0xc0;
export const ROTATE_AUTO_ON = 0x80;
export const ROTATE_AUTO_OFF = 0x00;
export const POLL = 0x0c;
export const SPECIAL_MASK_ON = 0x68;
export const SPECIAL_MASK_OFF = 0x48;
export const AUTO_EOI = 0x02;
export const SPECIAL_NESTING = 0x10;
const READ_IRR = 0x0a;
const READ_ISR = 0x0b;

/** Chips as firmware leaves them. */
export class PicBench {
  readonly ports = new PortBus();
  readonly pic = new Pic8259(this.ports);
  /** Lines that rose. */
  readonly raised: number[] = [];

  constructor() {
    this.pic.onRisingEdge = (line) => this.raised.push(line);
  }

  out(port: number, value: number): void {
    this.ports.write(port, 1, value);
  }

  read(port: number): number {
    return this.ports.read(port, 1);
  }

  isr(chip: number): number {
    this.out(chip, READ_ISR);
    return this.read(chip);
  }

  irr(chip: number): number {
    this.out(chip, READ_IRR);
    return this.read(chip);
  }

  /** Initialises both chips as every PC kernel does: vectors 20h and 28h, nothing masked. */
  initialise(icw4 = 0, icw1 = 0x11): void {
    this.out(MASTER, icw1);
    this.out(MASTER + 1, 0x20);
    this.out(MASTER + 1, 0x04);
    this.out(MASTER + 1, 0x01 | icw4);
    this.out(SLAVE, icw1);
    this.out(SLAVE + 1, 0x28);
    this.out(SLAVE + 1, 0x02);
    this.out(SLAVE + 1, 0x01 | (icw4 & AUTO_EOI));
    this.out(MASTER + 1, 0x00);
    this.out(SLAVE + 1, 0x00);
  }
}
