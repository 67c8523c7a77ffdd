import { beforeEach, describe, expect, test } from 'vitest';
import {
  AUTO_EOI,
  EOI,
  MASTER,
  PicBench,
  ROTATE_AUTO_OFF,
  ROTATE_AUTO_ON,
  ROTATE_EOI,
  ROTATE_SPECIFIC_EOI,
  SET_PRIORITY,
  SLAVE,
  SPECIFIC_EOI,
} from './pic-bench.js';

let bench: PicBench;

beforeEach(() => {
  bench = new PicBench();
});

describe('as firmware leaves them', () => {
  test('everything is masked, and vectors begin at 08h and 70h', () => {
    expect([bench.read(0x21), bench.read(0xa1)]).toEqual([0xff, 0xff]);
    bench.pic.pulse(5);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(0x21, 0x00);
    expect(bench.pic.acknowledge()).toBe(0x0d);
    bench.out(0xa1, 0x00);
    bench.out(MASTER, EOI);
    bench.pic.pulse(9);
    expect(bench.pic.acknowledge()).toBe(0x71);
  });

  test('OUT of timer 0 is high already, so driving it high is no request', () => {
    bench.out(0x21, 0x00);
    bench.pic.setLine(0, true);
    expect(bench.pic.interruptPin).toBe(false);
    expect(bench.raised).toEqual([]);
  });
});

describe('initialisation', () => {
  test('ICW1 clears mask, service and edges, and no interrupt comes before its sequence is complete', () => {
    bench.initialise();
    bench.pic.pulse(3);
    bench.pic.acknowledge();
    bench.pic.pulse(4);
    bench.out(MASTER, 0x11);
    bench.pic.pulse(6);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER + 1, 0x40);
    bench.out(MASTER + 1, 0x04);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER + 1, 0x01);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.read(0x21)).toBe(0);
    expect(bench.isr(MASTER)).toBe(0);
    expect(bench.irr(MASTER)).toBe(0x40);
    expect(bench.pic.acknowledge()).toBe(0x46);
  });

  test('without ICW4 the sequence ends at ICW3; a single chip has no ICW3', () => {
    bench.out(MASTER, 0x10);
    bench.out(MASTER + 1, 0x20);
    bench.out(MASTER + 1, 0x04);
    bench.out(MASTER + 1, 0xfe); // OCW1
    expect(bench.read(0x21)).toBe(0xfe);
    bench.out(MASTER, 0x13);
    bench.out(MASTER + 1, 0x30);
    bench.out(MASTER + 1, 0x01);
    bench.out(MASTER + 1, 0x00);
    bench.pic.pulse(2 + 1);
    expect(bench.pic.acknowledge()).toBe(0x33);
  });

  test('ICW2 gives the vector its high five bits alone', () => {
    bench.out(MASTER, 0x11);
    bench.out(MASTER + 1, 0x27);
    bench.out(MASTER + 1, 0x04);
    bench.out(MASTER + 1, 0x01);
    bench.pic.pulse(1);
    expect(bench.pic.acknowledge()).toBe(0x21);
  });
});

describe('edge-triggered requests', () => {
  beforeEach(() => bench.initialise());

  test('a rising edge requests once, and again only after the line has fallen', () => {
    bench.pic.setLine(4, true);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.pic.acknowledge()).toBe(0x24);
    expect(bench.pic.acknowledgedLine).toBe(4);
    bench.out(MASTER, EOI);
    bench.pic.setLine(4, true);
    expect(bench.pic.interruptPin).toBe(false);
    bench.pic.setLine(4, false);
    bench.pic.setLine(4, true);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.raised).toEqual([4, 4]);
  });

  test('an edge while the level is in service waits for the EOI', () => {
    bench.pic.pulse(0);
    bench.pic.acknowledge();
    bench.pic.pulse(0);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER, EOI);
    expect(bench.pic.interruptPin).toBe(true);
  });

  test('a masked request is kept, and comes when it is unmasked', () => {
    bench.out(0x21, 0x08);
    bench.pic.pulse(3);
    expect(bench.pic.interruptPin).toBe(false);
    expect(bench.irr(MASTER)).toBe(0x08);
    bench.out(0x21, 0x00);
    expect(bench.pic.interruptPin).toBe(true);
  });

  test('masking a pending request withdraws INT', () => {
    bench.pic.pulse(3);
    bench.out(0x21, 0x08);
    expect(bench.pic.interruptPin).toBe(false);
    bench.pic.pulse(11);
    bench.out(0xa1, 0x08);
    expect(bench.pic.interruptPin).toBe(false);
  });
});

describe('level-triggered requests', () => {
  test('by ELCR a line requests as long as it is high', () => {
    bench.initialise();
    bench.out(0x4d0, 0x20);
    bench.out(0x4d1, 0x08);
    bench.pic.setLine(5, true);
    bench.pic.acknowledge();
    expect(bench.irr(MASTER)).toBe(0x20);
    bench.out(MASTER, EOI);
    expect(bench.pic.interruptPin).toBe(true);
    bench.pic.acknowledge();
    bench.pic.setLine(5, false);
    bench.out(MASTER, EOI);
    expect(bench.pic.interruptPin).toBe(false);
    bench.pic.setLine(11, true);
    expect(bench.pic.acknowledge()).toBe(0x2b);
    bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge(), 'again').toBe(0x2b);
  });

  test('ELCR keeps IRQ 0, 1, 2, 8 and 13 edge-triggered', () => {
    bench.out(0x4d0, 0xff);
    bench.out(0x4d1, 0xff);
    expect([bench.read(0x4d0), bench.read(0x4d1)]).toEqual([0xf8, 0xde]);
  });

  test('by LTIM of ICW1 all lines of a chip are', () => {
    bench.initialise(0, 0x19);
    bench.pic.setLine(1, true);
    bench.pic.acknowledge();
    bench.out(MASTER, EOI);
    // OUT of timer 0 is high, too, and comes first.
    expect(bench.pic.acknowledge()).toBe(0x20);
  });
});

describe('priorities', () => {
  beforeEach(() => bench.initialise());

  test('the lowest level is served first, and lower ones wait while it is in service', () => {
    bench.pic.pulse(6);
    bench.pic.pulse(1);
    bench.pic.pulse(3);
    expect(bench.pic.acknowledge()).toBe(0x21);
    expect(bench.pic.interruptPin).toBe(false);
    bench.pic.pulse(0);
    expect(bench.pic.acknowledge(), 'a higher one interrupts').toBe(0x20);
    expect(bench.isr(MASTER)).toBe(0x03);
    bench.out(MASTER, EOI);
    expect(bench.isr(MASTER), 'a non-specific EOI ends the highest').toBe(0x02);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge()).toBe(0x23);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge()).toBe(0x26);
  });

  test('lines of the slave rank between IRQ 1 and IRQ 3', () => {
    for (const line of [3, 15, 8, 1]) bench.pic.pulse(line);
    const order = [];
    for (let count = 0; count < 4; count++) {
      order.push(bench.pic.acknowledge());
      if (bench.pic.acknowledgedLine >= 8) bench.out(SLAVE, EOI);
      bench.out(MASTER, EOI);
    }
    expect(order).toEqual([0x21, 0x28, 0x2f, 0x23]);
    expect(bench.pic.interruptPin).toBe(false);
  });

  test('set priority makes the named level the lowest', () => {
    bench.out(MASTER, SET_PRIORITY | 3);
    for (const line of [0, 3, 4]) bench.pic.pulse(line);
    const order = [];
    for (let count = 0; count < 3; count++) {
      order.push(bench.pic.acknowledge());
      bench.out(MASTER, EOI);
    }
    expect(order).toEqual([0x24, 0x20, 0x23]);
  });

  test('rotate on non-specific EOI gives the level just served the lowest priority', () => {
    for (const line of [3, 4]) bench.pic.pulse(line);
    bench.pic.acknowledge();
    bench.out(MASTER, ROTATE_EOI);
    bench.pic.pulse(3);
    bench.pic.pulse(0);
    expect(bench.pic.acknowledge()).toBe(0x24);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge()).toBe(0x20);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge()).toBe(0x23);
  });

  test('rotate on specific EOI ends and demotes the named level', () => {
    bench.pic.pulse(5);
    bench.pic.acknowledge();
    bench.out(MASTER, ROTATE_SPECIFIC_EOI | 5);
    expect(bench.isr(MASTER)).toBe(0);
    bench.pic.pulse(5);
    bench.pic.pulse(6);
    expect(bench.pic.acknowledge()).toBe(0x26);
  });

  test('a specific EOI ends the named level only', () => {
    bench.pic.pulse(5);
    bench.pic.acknowledge();
    bench.pic.pulse(1);
    bench.pic.acknowledge();
    bench.out(MASTER, SPECIFIC_EOI | 5);
    expect(bench.isr(MASTER)).toBe(0x02);
  });
});

describe('automatic EOI', () => {
  test('leaves nothing in service', () => {
    bench.initialise(AUTO_EOI);
    bench.pic.pulse(0);
    bench.pic.pulse(12);
    expect(bench.pic.acknowledge()).toBe(0x20);
    expect(bench.isr(MASTER)).toBe(0);
    expect(bench.pic.acknowledge()).toBe(0x2c);
    expect([bench.isr(MASTER), bench.isr(SLAVE)]).toEqual([0, 0]);
  });

  test('of the slave lets its next request reach the master as a new edge', () => {
    bench.initialise(AUTO_EOI);
    bench.pic.pulse(9);
    bench.pic.pulse(10);
    expect(bench.pic.acknowledge()).toBe(0x29);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.pic.acknowledge()).toBe(0x2a);
  });

  test('rotates while that is switched on', () => {
    bench.initialise(AUTO_EOI);
    bench.out(MASTER, ROTATE_AUTO_ON);
    bench.pic.pulse(3);
    bench.pic.pulse(4);
    bench.pic.acknowledge();
    bench.pic.pulse(3);
    expect(bench.pic.acknowledge()).toBe(0x24);
    bench.out(MASTER, ROTATE_AUTO_OFF);
    bench.out(MASTER, SET_PRIORITY | 7);
    bench.pic.pulse(4);
    expect(bench.pic.acknowledge()).toBe(0x23);
    bench.pic.pulse(3);
    expect(bench.pic.acknowledge()).toBe(0x23);
  });
});
