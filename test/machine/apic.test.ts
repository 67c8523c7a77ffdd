import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import * as A from './apic-bench.js';

let bench: A.ApicBench;

beforeEach(() => {
  bench = new A.ApicBench();
});

describe('as firmware leaves it', () => {
  test('it is a virtual wire: enabled, LINT0 for the 8259s, LINT1 for NMI, all else masked', () => {
    expect(bench.get(A.SVR)).toBe(0x1ff);
    expect(bench.get(A.LVT_LINT0)).toBe(0x700);
    expect(bench.get(A.LVT_LINT1)).toBe(0x400);
    expect(bench.get(A.LVT_TIMER)).toBe(A.MASKED);
    expect(bench.get(A.LVT_ERROR)).toBe(A.MASKED);
  });

  test('it is version 14h with six entries in its table, and has ID 0', () => {
    expect(bench.get(0x30)).toBe(0x50014);
    expect(bench.get(A.ID)).toBe(0);
  });

  test("a request of the 8259s is the processor's, and the vector is theirs to give", () => {
    bench.apic.setLint0(true);
    expect(bench.pin).toBe(true);
    expect(bench.apic.acknowledge()).toBe(-1);
    bench.apic.setLint0(false);
    expect(bench.pin).toBe(false);
  });
});

describe('priorities', () => {
  test('the highest vector is taken first, each once', () => {
    for (const vector of [0x41, 0x52, 0x45, 0x52]) bench.request(vector);
    expect(bench.vectors(A.IRR)).toEqual([0x41, 0x45, 0x52]);
    expect(bench.takeAll()).toEqual([0x52, 0x45, 0x41]);
    expect(bench.vectors(A.IRR)).toEqual([]);
    expect(bench.vectors(A.ISR)).toEqual([]);
  });

  test('a vector whose class is not above that of TPR waits until TPR is lowered', () => {
    bench.set(A.TPR, 0x40);
    bench.request(0x4f);
    expect(bench.pin).toBe(false);
    bench.set(A.TPR, 0x3f);
    expect(bench.pin).toBe(true);
    expect(bench.apic.acknowledge()).toBe(0x4f);
  });

  test('a vector in service holds up its class and those below it', () => {
    bench.request(0x61);
    bench.apic.acknowledge();
    expect(bench.get(A.PPR)).toBe(0x60);
    bench.request(0x6f);
    expect(bench.pin).toBe(false);
    bench.request(0x70);
    expect(bench.apic.acknowledge()).toBe(0x70);
    expect(bench.vectors(A.ISR)).toEqual([0x61, 0x70]);
    bench.set(A.EOI, 0);
    expect(bench.vectors(A.ISR)).toEqual([0x61]);
    expect(bench.pin).toBe(false);
    bench.set(A.EOI, 0);
    expect(bench.apic.acknowledge()).toBe(0x6f);
  });

  test('TPR and the vector in service make PPR: the higher class, TPR whole where it is not below', () => {
    bench.set(A.TPR, 0x35);
    expect(bench.get(A.PPR)).toBe(0x35);
    bench.request(0x61);
    bench.apic.acknowledge();
    expect(bench.get(A.PPR)).toBe(0x60);
    bench.set(A.TPR, 0x65);
    expect(bench.get(A.PPR)).toBe(0x65);
  });

  test('a vector that is in service may wait for its next service', () => {
    bench.request(0x61);
    bench.apic.acknowledge();
    bench.request(0x61);
    expect(bench.vectors(A.IRR)).toEqual([0x61]);
    expect(bench.vectors(A.ISR)).toEqual([0x61]);
    bench.set(A.EOI, 0);
    expect(bench.takeAll()).toEqual([0x61]);
  });

  test('the end of an interrupt that there is not changes nothing', () => {
    bench.set(A.EOI, 0);
    bench.request(0x41);
    expect(bench.takeAll()).toEqual([0x41]);
  });

  test('a request that TPR has outrun since is spurious: the vector of SVR, and none in service', () => {
    bench.set(A.SVR, 0x1c7);
    expect(bench.apic.acknowledge()).toBe(0xc7);
    expect(bench.vectors(A.ISR)).toEqual([]);
    expect(bench.apic.acknowledgedLine).toBe(256 + 0xc7);
  });

  test('requests of any number and order are all taken once, from the highest to the lowest', () => {
    const vector = fc.integer({ min: 16, max: 255 });
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 40 }), (vectors) => {
        bench = new A.ApicBench();
        for (const each of vectors) bench.request(each);
        expect(bench.takeAll()).toEqual([...new Set(vectors)].sort((a, b) => b - a));
      }),
    );
  });
});

describe('what the processor sends', () => {
  const send = (high: number, low: number): void => {
    bench.set(A.ICR_HIGH, high << 24);
    bench.set(A.ICR, low);
  };

  test.each<[string, number, number, boolean]>([
    ['to its ID', 0, 0x41, true],
    ['to another ID', 1, 0x41, false],
    ['to all IDs', 0xff, 0x41, true],
    ['to itself', 9, 0x40041, true],
    ['to all with itself', 9, 0x80041, true],
    ['to all but itself', 0, 0xc0041, false],
    ['to the lowest priority of its ID', 0, 0x141, true],
  ])('%s arrives, or goes nowhere', (_, high, low, arrives) => {
    send(high, low);
    expect(bench.takeAll()).toEqual(arrives ? [0x41] : []);
  });

  test.each<[string, number, number, number, boolean]>([
    ['one of its bits, flat', 0xffffffff, 0x06, 0x04, true],
    ['another bit, flat', 0xffffffff, 0x06, 0x08, false],
    ['its cluster and bit', 0x0fffffff, 0x32, 0x36, true],
    ['its cluster, another bit', 0x0fffffff, 0x32, 0x34, false],
    ['its bit in another cluster', 0x0fffffff, 0x32, 0x42, false],
    ['all clusters', 0x0fffffff, 0x32, 0xff, true],
  ])('a logical destination: %s', (_, format, own, destination, arrives) => {
    bench.set(A.DFR, format);
    bench.set(A.LDR, own << 24);
    send(destination, 0x841);
    expect(bench.takeAll()).toEqual(arrives ? [0x41] : []);
  });

  test('its ID can be written, and messages follow', () => {
    bench.set(A.ID, 0x05ffffff);
    expect(bench.get(A.ID)).toBe(0x05000000);
    send(5, 0x41);
    expect(bench.takeAll()).toEqual([0x41]);
    send(0, 0x41);
    expect(bench.takeAll()).toEqual([]);
  });

  test('an NMI to itself is one, whatever its vector', () => {
    send(0, 0x400);
    send(0, 0xc0400);
    expect(bench.nmis).toBe(1);
  });

  test('INIT to itself is a reset of the processor; its de-assertion is nothing', () => {
    send(0, 0x8500);
    expect(bench.inits).toBe(0);
    send(0, 0x4500);
    expect(bench.inits).toBe(1);
  });

  test('delivery status reads idle, and reserved bits read 0', () => {
    send(0xff, 0xffffffff & ~0x700);
    expect(bench.get(A.ICR)).toBe(0xcc8ff);
    expect(bench.get(A.ICR_HIGH)).toBe(0xff000000);
  });

  test('all of it comes at the edge: TMR stays clear', () => {
    send(0, 0xc041);
    expect(bench.vectors(A.TMR)).toEqual([]);
    expect(bench.takeAll()).toEqual([0x41]);
  });
});

describe('errors', () => {
  const errors = (): number => {
    bench.set(A.ESR, 0);
    return bench.get(A.ESR);
  };

  test.each<[string, () => void, number]>([
    ['sending a vector below 16', () => bench.set(A.ICR, 0xc000f), 0x20],
    ['reading a register that is not there', () => void bench.get(0x40), 0x80],
    ['writing one', () => bench.set(0x3f0, 0), 0x80],
    ['reading above the registers', () => void bench.get(0x800), 0x80],
  ])('%s is noted, and shown when ESR is written', (_, cause, bits) => {
    cause();
    expect(bench.get(A.ESR)).toBe(0);
    expect(errors()).toBe(bits);
    expect(errors()).toBe(0);
  });

  test('a vector below 16 in the table is an error when it fires', () => {
    bench.set(A.LVT_LINT0, 0x0f);
    bench.apic.setLint0(true);
    expect(bench.pin).toBe(false);
    expect(errors()).toBe(0x40);
  });

  test('they interrupt through their own entry of the table', () => {
    bench.set(A.LVT_ERROR, 0xe3);
    bench.set(A.ICR, 0x40000);
    expect(bench.takeAll()).toEqual([0xe3]);
    expect(errors()).toBe(0x20);
  });

  test('an entry for errors with an illegal vector does not fire for ever', () => {
    bench.set(A.LVT_ERROR, 3);
    bench.set(A.ICR, 0x40000);
    expect(errors()).toBe(0x60);
  });
});

describe('the pins', () => {
  test('LINT0 masked, the 8259s reach nobody; unmasked, their request is still there', () => {
    bench.set(A.LVT_LINT0, 0x700 | A.MASKED);
    bench.apic.setLint0(true);
    expect(bench.pin).toBe(false);
    bench.set(A.LVT_LINT0, 0x700);
    expect(bench.pin).toBe(true);
  });

  test("the APIC's own vectors come before those of the 8259s, which no priority holds up", () => {
    bench.request(0x41);
    bench.apic.setLint0(true);
    expect(bench.takeAll()).toEqual([0x41, -1]);
    bench.set(A.TPR, 0xff);
    bench.apic.setLint0(true);
    expect(bench.takeAll()).toEqual([-1]);
  });

  test('LINT0 as NMI makes one for each rising edge, and wakes a halted processor', () => {
    expect(bench.apic.turnsInterruptsIntoNmi).toBe(false);
    bench.set(A.LVT_LINT0, 0x400);
    expect(bench.apic.turnsInterruptsIntoNmi).toBe(true);
    for (const level of [true, true, false, true]) bench.apic.setLint0(level);
    expect(bench.nmis).toBe(2);
    expect(bench.pin).toBe(false);
  });

  test('LINT0 as an edge requests its vector once', () => {
    bench.set(A.LVT_LINT0, 0x52);
    bench.apic.setLint0(true);
    expect(bench.takeAll()).toEqual([0x52]);
    expect(bench.vectors(A.TMR)).toEqual([]);
  });

  test('LINT0 as a level requests its vector again when its service ends and it is still high', () => {
    bench.set(A.LVT_LINT0, 0x8052);
    bench.apic.setLint0(true);
    expect(bench.get(A.LVT_LINT0)).toBe(0xc052);
    expect(bench.vectors(A.TMR)).toEqual([0x52]);
    expect(bench.apic.acknowledge()).toBe(0x52);
    expect(bench.vectors(A.IRR)).toEqual([]);
    bench.set(A.EOI, 0);
    expect(bench.apic.acknowledge()).toBe(0x52);
    bench.apic.setLint0(false);
    bench.set(A.EOI, 0);
    expect(bench.pin).toBe(false);
    expect(bench.get(A.LVT_LINT0)).toBe(0x8052);
  });

  test('LINT1 is NMI, a vector, or nothing', () => {
    bench.apic.edgeLint1();
    expect(bench.nmis).toBe(1);
    bench.set(A.LVT_LINT1, 0x61);
    bench.apic.edgeLint1();
    expect(bench.takeAll()).toEqual([0x61]);
    bench.set(A.LVT_LINT1, 0x400 | A.MASKED);
    bench.apic.edgeLint1();
    expect([bench.nmis, bench.pin]).toEqual([1, false]);
  });
});

describe('disabled by software', () => {
  beforeEach(() => {
    bench.request(0x41);
    bench.set(A.SVR, 0xff);
  });

  test('its whole table is masked, and stays so when it is written', () => {
    bench.set(A.LVT_TIMER, 0x80);
    expect(bench.get(A.LVT_TIMER)).toBe(0x80 | A.MASKED);
    expect(bench.get(A.LVT_LINT0)).toBe(0x700 | A.MASKED);
    bench.set(A.SVR, 0x1ff);
    expect(bench.get(A.LVT_TIMER)).toBe(0x80 | A.MASKED);
  });

  test('what was requested before is still taken; nothing new is', () => {
    bench.request(0x52);
    expect(bench.takeAll()).toEqual([0x41]);
  });

  test('an NMI that the processor sends itself comes through', () => {
    bench.set(A.ICR, 0x400);
    expect(bench.nmis).toBe(1);
  });
});

describe('MSR 1Bh', () => {
  test('says where the registers are, that this is the bootstrap processor, and that it is on', () => {
    expect([bench.apic.baseLow, bench.apic.baseHigh]).toEqual([A.BASE_ON, 0]);
    expect(bench.apic.window).toBe(0xfee00000);
  });

  test.each([
    ['bit 0', A.BASE_ON | 1, 0],
    ['bit 9', A.BASE_ON | 0x200, 0],
    ['x2APIC mode', A.BASE_ON | 0x400, 0],
    ['an address above 36 bits', A.BASE_ON, 0x10],
  ])('refuses %s, and nothing changes', (_, low, high) => {
    bench.set(A.TPR, 0x40);
    expect(bench.apic.writeBase(low, high)).toBe(false);
    expect([bench.apic.baseLow, bench.apic.baseHigh]).toEqual([A.BASE_ON, 0]);
    expect(bench.get(A.TPR)).toBe(0x40);
  });

  test('moves the registers; above 4 GiB they are out of reach', () => {
    let moves = 0;
    bench.apic.onMove = () => {
      moves += 1;
    };
    bench.apic.writeBase(0x12345900, 0);
    expect(bench.apic.window).toBe(0x12345000);
    bench.apic.writeBase(0x12345900, 1);
    expect(bench.apic.window).toBe(-1);
    expect(bench.apic.baseHigh).toBe(1);
    expect(moves).toBe(2);
  });

  test('off, the 8259s and NMI are wired straight to the processor', () => {
    bench.set(A.LVT_LINT0, 0x700 | A.MASKED);
    bench.request(0x41);
    bench.apic.writeBase(A.BASE_OFF, 0);
    expect([bench.apic.isEnabled, bench.apic.window, bench.pin]).toEqual([false, -1, false]);
    bench.apic.setLint0(true);
    expect(bench.pin).toBe(true);
    expect(bench.apic.acknowledge()).toBe(-1);
    bench.apic.edgeLint1();
    expect(bench.nmis).toBe(1);
  });

  test('off and on again, every register is as hardware comes up', () => {
    for (const register of [A.ID, A.TPR, A.LDR, A.ICR_HIGH]) bench.set(register, 0x55000050);
    bench.set(A.DFR, 0x0fffffff);
    bench.set(A.LVT_TIMER, PERIODIC_80);
    bench.set(A.DIVIDE, 0xb);
    bench.set(A.INITIAL_COUNT, 1000);
    bench.set(0x40, 0);
    bench.set(A.ESR, 0);
    bench.request(0x61);
    bench.apic.acknowledge();
    bench.request(0x72);
    bench.apic.writeBase(A.BASE_OFF, 0);
    bench.apic.writeBase(A.BASE_ON, 0);
    const zeros = [A.ID, A.TPR, A.PPR, A.LDR, A.ESR, A.ICR, A.ICR_HIGH];
    zeros.push(A.INITIAL_COUNT, A.CURRENT_COUNT, A.DIVIDE);
    for (const register of zeros) expect(bench.get(register), register.toString(16)).toBe(0);
    expect(bench.get(A.DFR)).toBe(0xffffffff);
    expect(bench.get(A.SVR)).toBe(0xff);
    for (let entry = A.LVT_TIMER; entry <= A.LVT_ERROR; entry += 0x10) {
      expect(bench.get(entry), entry.toString(16)).toBe(A.MASKED);
    }
    for (const set of [A.ISR, A.IRR, A.TMR] as const) expect(bench.vectors(set)).toEqual([]);
    expect(bench.pin).toBe(false);
    expect(bench.apic.nextEdge(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('written with what it holds, it forgets nothing', () => {
    bench.set(A.TPR, 0x40);
    expect(bench.apic.writeBase(A.BASE_ON, 0)).toBe(true);
    expect(bench.get(A.TPR)).toBe(0x40);
  });
});

const PERIODIC_80 = A.PERIODIC | 0x80;

describe('the timer', () => {
  beforeEach(() => {
    bench.set(A.DIVIDE, 0xb);
  });

  test('requests its vector, as line 16', () => {
    bench.set(A.LVT_TIMER, 0x80);
    bench.set(A.INITIAL_COUNT, 100);
    expect(bench.apic.nextEdge(0)).toBe(100);
    bench.apic.timerEdge();
    expect(bench.requests).toEqual([16]);
    expect(bench.apic.acknowledge()).toBe(0x80);
    expect(bench.apic.acknowledgedLine).toBe(16);
  });

  test('of a vector that the processor sent itself the line is another, unless the timer came after', () => {
    bench.set(A.LVT_TIMER, 0x80);
    bench.set(A.INITIAL_COUNT, 100);
    bench.apic.timerEdge();
    bench.request(0x80);
    expect(bench.requests).toEqual([16, 256 + 0x80]);
    bench.apic.acknowledge();
    expect(bench.apic.acknowledgedLine).toBe(256 + 0x80);
  });

  test('masked it counts and requests nothing, not even what it missed when it is unmasked', () => {
    bench.set(A.LVT_TIMER, 0x80 | A.MASKED);
    bench.set(A.INITIAL_COUNT, 100);
    expect(bench.apic.nextEdge(0)).toBe(Number.POSITIVE_INFINITY);
    bench.now = 40;
    expect(bench.get(A.CURRENT_COUNT)).toBe(60);
    bench.now = 150;
    bench.set(A.LVT_TIMER, 0x80);
    expect(bench.get(A.CURRENT_COUNT)).toBe(0);
    expect(bench.apic.nextEdge(0)).toBe(Number.POSITIVE_INFINITY);
    bench.apic.writeBase(A.BASE_OFF, 0);
    bench.apic.timerEdge();
    expect(bench.requests).toEqual([]);
  });

  test('unmasked in time it requests what is still to come', () => {
    bench.set(A.LVT_TIMER, 0x80 | A.MASKED);
    bench.set(A.INITIAL_COUNT, 100);
    bench.now = 40;
    bench.set(A.LVT_TIMER, 0x80);
    expect(bench.apic.nextEdge(0)).toBe(100);
  });

  test('each write that changes when it expires asks for the time, so that a source learns of it', () => {
    for (const register of [A.LVT_TIMER, A.INITIAL_COUNT, A.DIVIDE]) {
      const before = bench.reads;
      bench.set(register, 0x3);
      expect(bench.reads, register.toString(16)).toBe(before + 1);
    }
  });

  test('an edge under way when it was stopped is dropped', () => {
    bench.set(A.LVT_TIMER, 0x80);
    bench.set(A.INITIAL_COUNT, 100);
    bench.set(A.INITIAL_COUNT, 0);
    bench.apic.timerEdge();
    expect(bench.requests).toEqual([]);
  });
});

describe('accesses', () => {
  test('a read of bytes and words sees those of the register, and zeros behind its four', () => {
    bench.set(A.SVR, 0x1c7);
    expect(bench.apic.read(A.SVR, 1)).toBe(0xc7);
    expect(bench.apic.read(A.SVR + 1, 1)).toBe(0x01);
    expect(bench.apic.read(A.SVR, 2)).toBe(0x1c7);
    expect(bench.apic.read(A.SVR + 4, 4)).toBe(0);
    expect(bench.apic.read(A.SVR + 2, 4)).toBe(0);
  });

  test('a write that is not 32 bits wide at a multiple of 16 is lost', () => {
    bench.apic.write(A.TPR, 1, 0x40);
    bench.apic.write(A.TPR, 2, 0x40);
    bench.apic.write(A.TPR + 4, 4, 0x40);
    expect(bench.get(A.TPR)).toBe(0);
  });

  test('what can only be read cannot be written, and is no error', () => {
    for (const register of [0x30, 0x90, A.PPR, 0xc0, A.ISR, A.TMR, A.IRR, A.CURRENT_COUNT]) {
      const before = bench.get(register);
      bench.set(register, 0x12345678);
      expect(bench.get(register), register.toString(16)).toBe(before);
    }
    bench.set(A.ESR, 0);
    expect(bench.get(A.ESR)).toBe(0);
  });
});

describe('its state', () => {
  test('saved and restored, it goes on as if nothing had been', () => {
    const step = fc.record({
      register: fc.integer({ min: 0, max: 0x3f }).map((index) => index << 4),
      value: fc.oneof(fc.integer(), fc.integer({ min: 0, max: 0x2ffff })),
      then: fc.constantFrom('nothing', 'lint0 up', 'lint0 down', 'lint1', 'timer', 'take', 'base'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (a, b) => {
        const perform = (target: A.ApicBench, steps: typeof a): number[] =>
          steps.flatMap(({ register, value, then }) => {
            target.now += 7;
            target.set(register, value);
            if (then === 'lint0 up' || then === 'lint0 down') {
              target.apic.setLint0(then === 'lint0 up');
            } else if (then === 'lint1') target.apic.edgeLint1();
            else if (then === 'timer') target.apic.timerEdge();
            else if (then === 'base') target.apic.writeBase(value, 0);
            const taken = then === 'take' && target.pin ? target.apic.acknowledge() : -2;
            return [taken, target.get(register), Number(target.apic.interruptPin)];
          });
        const first = new A.ApicBench();
        perform(first, a);
        const second = new A.ApicBench();
        second.apic.restore(first.apic.save());
        second.now = first.now;
        second.pin = first.pin;
        expect(second.apic.save()).toEqual(first.apic.save());
        expect(perform(second, b)).toEqual(perform(first, b));
        expect(first.apic.save().every((each) => Number.isFinite(each))).toBe(true);
      }),
    );
  });

  test('of another length is refused', () => {
    expect(() => bench.apic.restore([0])).toThrow('state of apic');
  });
});
