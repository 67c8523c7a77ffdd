import { beforeEach, describe, expect, test } from 'vitest';
import { Pic8259 } from '../../src/machine/pic8259.js';
import { PortBus } from '../../src/machine/port-bus.js';

const MASTER = 0x20;
const SLAVE = 0xa0;
const EOI = 0x20;
const SPECIFIC_EOI = 0x60;
const ROTATE_EOI = 0xa0;
const ROTATE_SPECIFIC_EOI = 0xe0;
const SET_PRIORITY = 0xc0;
const ROTATE_AUTO_ON = 0x80;
const ROTATE_AUTO_OFF = 0x00;
const READ_IRR = 0x0a;
const READ_ISR = 0x0b;
const POLL = 0x0c;
const SPECIAL_MASK_ON = 0x68;
const SPECIAL_MASK_OFF = 0x48;
const AUTO_EOI = 0x02;
const SPECIAL_NESTING = 0x10;

let ports: PortBus;
let pic: Pic8259;
let raised: number[];

beforeEach(() => {
  ports = new PortBus();
  pic = new Pic8259(ports);
  raised = [];
  pic.onRisingEdge = (line) => raised.push(line);
});

const out = (port: number, value: number): void => ports.write(port, 1, value);
const read = (port: number): number => ports.read(port, 1);

/** Initialises both chips as every PC kernel does: vectors 20h and 28h, nothing masked. */
function initialise(icw4 = 0, icw1 = 0x11): void {
  out(MASTER, icw1);
  out(MASTER + 1, 0x20);
  out(MASTER + 1, 0x04);
  out(MASTER + 1, 0x01 | icw4);
  out(SLAVE, icw1);
  out(SLAVE + 1, 0x28);
  out(SLAVE + 1, 0x02);
  out(SLAVE + 1, 0x01 | (icw4 & AUTO_EOI));
  out(MASTER + 1, 0x00);
  out(SLAVE + 1, 0x00);
}

function isr(chip: number): number {
  out(chip, READ_ISR);
  return read(chip);
}

function irr(chip: number): number {
  out(chip, READ_IRR);
  return read(chip);
}

describe('as firmware leaves them', () => {
  test('everything is masked, and vectors begin at 08h and 70h', () => {
    expect([read(0x21), read(0xa1)]).toEqual([0xff, 0xff]);
    pic.pulse(5);
    expect(pic.interruptPin).toBe(false);
    out(0x21, 0x00);
    expect(pic.acknowledge()).toBe(0x0d);
    out(0xa1, 0x00);
    out(MASTER, EOI);
    pic.pulse(9);
    expect(pic.acknowledge()).toBe(0x71);
  });

  test('OUT of timer 0 is high already, so driving it high is no request', () => {
    out(0x21, 0x00);
    pic.setLine(0, true);
    expect(pic.interruptPin).toBe(false);
    expect(raised).toEqual([]);
  });
});

describe('initialisation', () => {
  test('ICW1 clears mask, service and edges, and no interrupt comes before its sequence is complete', () => {
    initialise();
    pic.pulse(3);
    pic.acknowledge();
    pic.pulse(4);
    out(MASTER, 0x11);
    pic.pulse(6);
    expect(pic.interruptPin).toBe(false);
    out(MASTER + 1, 0x40);
    out(MASTER + 1, 0x04);
    expect(pic.interruptPin).toBe(false);
    out(MASTER + 1, 0x01);
    expect(pic.interruptPin).toBe(true);
    expect(read(0x21)).toBe(0);
    expect(isr(MASTER)).toBe(0);
    expect(irr(MASTER)).toBe(0x40);
    expect(pic.acknowledge()).toBe(0x46);
  });

  test('without ICW4 the sequence ends at ICW3; a single chip has no ICW3', () => {
    out(MASTER, 0x10);
    out(MASTER + 1, 0x20);
    out(MASTER + 1, 0x04);
    out(MASTER + 1, 0xfe); // OCW1
    expect(read(0x21)).toBe(0xfe);
    out(MASTER, 0x13);
    out(MASTER + 1, 0x30);
    out(MASTER + 1, 0x01);
    out(MASTER + 1, 0x00);
    pic.pulse(2 + 1);
    expect(pic.acknowledge()).toBe(0x33);
  });

  test('ICW2 gives the vector its high five bits alone', () => {
    out(MASTER, 0x11);
    out(MASTER + 1, 0x27);
    out(MASTER + 1, 0x04);
    out(MASTER + 1, 0x01);
    pic.pulse(1);
    expect(pic.acknowledge()).toBe(0x21);
  });
});

describe('edge-triggered requests', () => {
  beforeEach(() => initialise());

  test('a rising edge requests once, and again only after the line has fallen', () => {
    pic.setLine(4, true);
    expect(pic.interruptPin).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
    expect(pic.acknowledgedLine).toBe(4);
    out(MASTER, EOI);
    pic.setLine(4, true);
    expect(pic.interruptPin).toBe(false);
    pic.setLine(4, false);
    pic.setLine(4, true);
    expect(pic.interruptPin).toBe(true);
    expect(raised).toEqual([4, 4]);
  });

  test('an edge while the level is in service waits for the EOI', () => {
    pic.pulse(0);
    pic.acknowledge();
    pic.pulse(0);
    expect(pic.interruptPin).toBe(false);
    out(MASTER, EOI);
    expect(pic.interruptPin).toBe(true);
  });

  test('a masked request is kept, and comes when it is unmasked', () => {
    out(0x21, 0x08);
    pic.pulse(3);
    expect(pic.interruptPin).toBe(false);
    expect(irr(MASTER)).toBe(0x08);
    out(0x21, 0x00);
    expect(pic.interruptPin).toBe(true);
  });

  test('masking a pending request withdraws INT', () => {
    pic.pulse(3);
    out(0x21, 0x08);
    expect(pic.interruptPin).toBe(false);
    pic.pulse(11);
    out(0xa1, 0x08);
    expect(pic.interruptPin).toBe(false);
  });
});

describe('level-triggered requests', () => {
  test('by ELCR a line requests as long as it is high', () => {
    initialise();
    out(0x4d0, 0x20);
    out(0x4d1, 0x08);
    pic.setLine(5, true);
    pic.acknowledge();
    expect(irr(MASTER)).toBe(0x20);
    out(MASTER, EOI);
    expect(pic.interruptPin).toBe(true);
    pic.acknowledge();
    pic.setLine(5, false);
    out(MASTER, EOI);
    expect(pic.interruptPin).toBe(false);
    pic.setLine(11, true);
    expect(pic.acknowledge()).toBe(0x2b);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    expect(pic.acknowledge(), 'again').toBe(0x2b);
  });

  test('ELCR keeps IRQ 0, 1, 2, 8 and 13 edge-triggered', () => {
    out(0x4d0, 0xff);
    out(0x4d1, 0xff);
    expect([read(0x4d0), read(0x4d1)]).toEqual([0xf8, 0xde]);
  });

  test('by LTIM of ICW1 all lines of a chip are', () => {
    initialise(0, 0x19);
    pic.setLine(1, true);
    pic.acknowledge();
    out(MASTER, EOI);
    // OUT of timer 0 is high, too, and comes first.
    expect(pic.acknowledge()).toBe(0x20);
  });
});

describe('priorities', () => {
  beforeEach(() => initialise());

  test('the lowest level is served first, and lower ones wait while it is in service', () => {
    pic.pulse(6);
    pic.pulse(1);
    pic.pulse(3);
    expect(pic.acknowledge()).toBe(0x21);
    expect(pic.interruptPin).toBe(false);
    pic.pulse(0);
    expect(pic.acknowledge(), 'a higher one interrupts').toBe(0x20);
    expect(isr(MASTER)).toBe(0x03);
    out(MASTER, EOI);
    expect(isr(MASTER), 'a non-specific EOI ends the highest').toBe(0x02);
    out(MASTER, EOI);
    expect(pic.acknowledge()).toBe(0x23);
    out(MASTER, EOI);
    expect(pic.acknowledge()).toBe(0x26);
  });

  test('lines of the slave rank between IRQ 1 and IRQ 3', () => {
    for (const line of [3, 15, 8, 1]) pic.pulse(line);
    const order = [];
    for (let count = 0; count < 4; count++) {
      order.push(pic.acknowledge());
      if (pic.acknowledgedLine >= 8) out(SLAVE, EOI);
      out(MASTER, EOI);
    }
    expect(order).toEqual([0x21, 0x28, 0x2f, 0x23]);
    expect(pic.interruptPin).toBe(false);
  });

  test('set priority makes the named level the lowest', () => {
    out(MASTER, SET_PRIORITY | 3);
    for (const line of [0, 3, 4]) pic.pulse(line);
    const order = [];
    for (let count = 0; count < 3; count++) {
      order.push(pic.acknowledge());
      out(MASTER, EOI);
    }
    expect(order).toEqual([0x24, 0x20, 0x23]);
  });

  test('rotate on non-specific EOI gives the level just served the lowest priority', () => {
    for (const line of [3, 4]) pic.pulse(line);
    pic.acknowledge();
    out(MASTER, ROTATE_EOI);
    pic.pulse(3);
    pic.pulse(0);
    expect(pic.acknowledge()).toBe(0x24);
    out(MASTER, EOI);
    expect(pic.acknowledge()).toBe(0x20);
    out(MASTER, EOI);
    expect(pic.acknowledge()).toBe(0x23);
  });

  test('rotate on specific EOI ends and demotes the named level', () => {
    pic.pulse(5);
    pic.acknowledge();
    out(MASTER, ROTATE_SPECIFIC_EOI | 5);
    expect(isr(MASTER)).toBe(0);
    pic.pulse(5);
    pic.pulse(6);
    expect(pic.acknowledge()).toBe(0x26);
  });

  test('a specific EOI ends the named level only', () => {
    pic.pulse(5);
    pic.acknowledge();
    pic.pulse(1);
    pic.acknowledge();
    out(MASTER, SPECIFIC_EOI | 5);
    expect(isr(MASTER)).toBe(0x02);
  });
});

describe('automatic EOI', () => {
  test('leaves nothing in service', () => {
    initialise(AUTO_EOI);
    pic.pulse(0);
    pic.pulse(12);
    expect(pic.acknowledge()).toBe(0x20);
    expect(isr(MASTER)).toBe(0);
    expect(pic.acknowledge()).toBe(0x2c);
    expect([isr(MASTER), isr(SLAVE)]).toEqual([0, 0]);
  });

  test('of the slave lets its next request reach the master as a new edge', () => {
    initialise(AUTO_EOI);
    pic.pulse(9);
    pic.pulse(10);
    expect(pic.acknowledge()).toBe(0x29);
    expect(pic.interruptPin).toBe(true);
    expect(pic.acknowledge()).toBe(0x2a);
  });

  test('rotates while that is switched on', () => {
    initialise(AUTO_EOI);
    out(MASTER, ROTATE_AUTO_ON);
    pic.pulse(3);
    pic.pulse(4);
    pic.acknowledge();
    pic.pulse(3);
    expect(pic.acknowledge()).toBe(0x24);
    out(MASTER, ROTATE_AUTO_OFF);
    out(MASTER, SET_PRIORITY | 7);
    pic.pulse(4);
    expect(pic.acknowledge()).toBe(0x23);
    pic.pulse(3);
    expect(pic.acknowledge()).toBe(0x23);
  });
});

describe('special modes', () => {
  test('special mask: a masked level in service holds nobody off, and a plain EOI spares it', () => {
    initialise();
    pic.pulse(1);
    pic.acknowledge();
    pic.pulse(6);
    out(0x21, 0x02);
    expect(pic.interruptPin).toBe(false);
    out(MASTER, SPECIAL_MASK_ON);
    expect(pic.acknowledge()).toBe(0x26);
    out(MASTER, EOI);
    expect(isr(MASTER)).toBe(0x02);
    out(MASTER, SPECIAL_MASK_OFF);
    out(MASTER, EOI);
    expect(isr(MASTER)).toBe(0);
  });

  test('special fully nested: a higher request of the slave interrupts a lower one', () => {
    initialise(SPECIAL_NESTING);
    pic.pulse(14);
    expect(pic.acknowledge()).toBe(0x2e);
    pic.pulse(8);
    expect(pic.interruptPin).toBe(true);
    expect(pic.acknowledge()).toBe(0x28);
  });

  test('fully nested: it waits for the EOI of the master', () => {
    initialise();
    pic.pulse(14);
    pic.acknowledge();
    pic.pulse(8);
    expect(pic.interruptPin).toBe(false);
    out(MASTER, EOI);
    expect(pic.acknowledge()).toBe(0x28);
  });

  test('a poll is an acknowledge: level and bit 7, and the level is in service', () => {
    initialise();
    pic.pulse(5);
    out(MASTER, POLL);
    expect(read(MASTER)).toBe(0x85);
    expect(isr(MASTER)).toBe(0x20);
    expect(pic.interruptPin).toBe(false);
    out(MASTER, EOI);
    out(MASTER, POLL);
    expect(read(MASTER)).toBe(0);
    expect(read(0x21), 'the next read is a plain one').toBe(0);
  });

  test('polling both chips finds a line of the slave', () => {
    initialise();
    pic.pulse(11);
    out(MASTER, POLL);
    expect(read(MASTER)).toBe(0x82);
    out(SLAVE, POLL);
    expect(read(SLAVE)).toBe(0x83);
    expect(isr(SLAVE)).toBe(0x08);
  });
});

describe('spurious interrupts', () => {
  beforeEach(() => initialise());

  test('a request that goes away before it is acknowledged becomes IRQ 7, in service nowhere', () => {
    pic.setLine(4, true);
    pic.setLine(4, false);
    expect(pic.interruptPin).toBe(true);
    expect(pic.acknowledge()).toBe(0x27);
    expect(pic.acknowledgedLine).toBe(7);
    expect(isr(MASTER)).toBe(0);
    expect(pic.interruptPin).toBe(false);
  });

  test('on the slave it becomes IRQ 15, with the cascade in service at the master', () => {
    pic.setLine(11, true);
    pic.setLine(11, false);
    expect(pic.acknowledge()).toBe(0x2f);
    expect(pic.acknowledgedLine).toBe(15);
    expect(isr(MASTER)).toBe(0x04);
    expect(isr(SLAVE)).toBe(0);
  });

  test('another request that is still there is served instead', () => {
    pic.setLine(4, true);
    pic.setLine(4, false);
    pic.pulse(6);
    expect(pic.acknowledge()).toBe(0x26);
  });
});

test('a cascade that is programmed wrongly lets the bus float', () => {
  initialise();
  out(SLAVE, 0x11);
  out(SLAVE + 1, 0x28);
  out(SLAVE + 1, 0x05);
  out(SLAVE + 1, 0x01);
  pic.pulse(8);
  expect(pic.acknowledge()).toBe(0xff);
});
