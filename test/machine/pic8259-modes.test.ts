import { beforeEach, describe, expect, test } from 'vitest';
import {
  EOI,
  MASTER,
  PicBench,
  POLL,
  SLAVE,
  SPECIAL_MASK_OFF,
  SPECIAL_MASK_ON,
  SPECIAL_NESTING,
} from './pic-bench.js';

let bench: PicBench;

beforeEach(() => {
  bench = new PicBench();
});

describe('special modes', () => {
  test('special mask: a masked level in service holds nobody off, and a plain EOI spares it', () => {
    bench.initialise();
    bench.pic.pulse(1);
    bench.pic.acknowledge();
    bench.pic.pulse(6);
    bench.out(0x21, 0x02);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER, SPECIAL_MASK_ON);
    expect(bench.pic.acknowledge()).toBe(0x26);
    bench.out(MASTER, EOI);
    expect(bench.isr(MASTER)).toBe(0x02);
    bench.out(MASTER, SPECIAL_MASK_OFF);
    bench.out(MASTER, EOI);
    expect(bench.isr(MASTER)).toBe(0);
  });

  test('special fully nested: a higher request of the slave interrupts a lower one', () => {
    bench.initialise(SPECIAL_NESTING);
    bench.pic.pulse(14);
    expect(bench.pic.acknowledge()).toBe(0x2e);
    bench.pic.pulse(8);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.pic.acknowledge()).toBe(0x28);
  });

  test('fully nested: it waits for the EOI of the master', () => {
    bench.initialise();
    bench.pic.pulse(14);
    bench.pic.acknowledge();
    bench.pic.pulse(8);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER, EOI);
    expect(bench.pic.acknowledge()).toBe(0x28);
  });

  test('a poll is an acknowledge: level and bit 7, and the level is in service', () => {
    bench.initialise();
    bench.pic.pulse(5);
    bench.out(MASTER, POLL);
    expect(bench.read(MASTER)).toBe(0x85);
    expect(bench.isr(MASTER)).toBe(0x20);
    expect(bench.pic.interruptPin).toBe(false);
    bench.out(MASTER, EOI);
    bench.out(MASTER, POLL);
    expect(bench.read(MASTER)).toBe(0);
    expect(bench.read(0x21), 'the next read is a plain one').toBe(0);
  });

  test('polling both chips finds a line of the slave', () => {
    bench.initialise();
    bench.pic.pulse(11);
    bench.out(MASTER, POLL);
    expect(bench.read(MASTER)).toBe(0x82);
    bench.out(SLAVE, POLL);
    expect(bench.read(SLAVE)).toBe(0x83);
    expect(bench.isr(SLAVE)).toBe(0x08);
  });
});

describe('spurious interrupts', () => {
  beforeEach(() => bench.initialise());

  test('a request that goes away before it is acknowledged becomes IRQ 7, in service nowhere', () => {
    bench.pic.setLine(4, true);
    bench.pic.setLine(4, false);
    expect(bench.pic.interruptPin).toBe(true);
    expect(bench.pic.acknowledge()).toBe(0x27);
    expect(bench.pic.acknowledgedLine).toBe(7);
    expect(bench.isr(MASTER)).toBe(0);
    expect(bench.pic.interruptPin).toBe(false);
  });

  test('on the slave it becomes IRQ 15, with the cascade in service at the master', () => {
    bench.pic.setLine(11, true);
    bench.pic.setLine(11, false);
    expect(bench.pic.acknowledge()).toBe(0x2f);
    expect(bench.pic.acknowledgedLine).toBe(15);
    expect(bench.isr(MASTER)).toBe(0x04);
    expect(bench.isr(SLAVE)).toBe(0);
  });

  test('another request that is still there is served instead', () => {
    bench.pic.setLine(4, true);
    bench.pic.setLine(4, false);
    bench.pic.pulse(6);
    expect(bench.pic.acknowledge()).toBe(0x26);
  });
});

test('a cascade that is programmed wrongly lets the bus float', () => {
  bench.initialise();
  bench.out(SLAVE, 0x11);
  bench.out(SLAVE + 1, 0x28);
  bench.out(SLAVE + 1, 0x05);
  bench.out(SLAVE + 1, 0x01);
  bench.pic.pulse(8);
  expect(bench.pic.acknowledge()).toBe(0xff);
});
