/**
 * Ports CF8h to CFBh of a PC without PCI: nothing but the reset control register at CF9h, which a byte
 * access reaches. Wider accesses are for PCI's configuration, which isn't there. It holds no state: its
 * other bits choose what kind of reset it is, and all are one here. Intel 82371 (PIIX) data sheet, "RC".
 */
import type { PortBus } from './port-bus.js';

const PORT_FIRST = 0xcf8;
const PORT_RESET = 0xcf9;
const PORT_LAST = 0xcfb;
/** Resets the processor when it is written as 1. */
const RESET_CPU = 0x04;

/** The reset control register. */
export class ResetControl {
  /** Called when the guest resets the processor. */
  onReset: () => void = () => undefined;

  constructor(ports: PortBus) {
    ports.claim(PORT_FIRST, PORT_LAST, {
      widest: 4,
      read: (port, size) => {
        if (size === 4) return -1;
        if (size === 2) return 0xffff;
        return port === PORT_RESET ? 0 : 0xff;
      },
      write: (port, size, value) => {
        if (port === PORT_RESET && size === 1 && (value & RESET_CPU) !== 0) this.onReset();
      },
    });
  }
}
