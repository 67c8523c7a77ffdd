import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PitCounter } from '../../src/machine/pit-counter.js';

/**
 * The 8254 counter as the data sheet tells it, one CLK pulse at a time: the oracle for the closed form.
 * Binary counts, two-byte access.
 */
class ClockedCounter {
  out: boolean;
  ce = 0;
  isLoaded = false;
  #cr = 0;
  #n = 0;
  #loads = false;
  #isDone = false;
  #mode: number;
  #gate: boolean;

  constructor(mode: number, gate: boolean) {
    this.#mode = mode;
    this.#gate = gate;
    this.out = mode !== 0;
  }

  write(count: number): void {
    this.#cr = count;
    if (this.#mode === 0) this.out = false;
    if (this.#mode === 0 || this.#mode === 4) this.#loads = true;
    if ((this.#mode === 2 || this.#mode === 3) && !this.isLoaded) this.#loads = true;
  }

  setGate(gate: boolean): void {
    if (gate && !this.#gate && this.#mode !== 0 && this.#mode !== 4 && this.#cr !== 0) {
      this.#loads = true;
    }
    this.#gate = gate;
    if (!gate && (this.#mode === 2 || this.#mode === 3)) this.out = true;
  }

  clock(): void {
    if (this.#loads) {
      this.#load();
      return;
    }
    if (!this.isLoaded) return;
    if (!this.#gate && this.#mode !== 1 && this.#mode !== 5) return;
    if (this.#mode === 2) this.#countPeriod();
    else if (this.#mode === 3) this.#countSquareWave();
    else this.#countOnce();
  }

  #load(): void {
    this.#loads = false;
    this.isLoaded = true;
    this.#isDone = false;
    this.#n = this.#cr;
    this.ce = this.#mode === 3 ? this.#cr & ~1 : this.#cr;
    this.out = !(this.#mode === 0 || this.#mode === 1);
  }

  #countOnce(): void {
    this.ce = (this.ce - 1) & 0xffff;
    const isTerminal = this.ce === 0 && !this.#isDone;
    if (isTerminal) this.#isDone = true;
    if (this.#mode === 4 || this.#mode === 5) this.out = !isTerminal;
    else if (isTerminal) this.out = true;
  }

  #countPeriod(): void {
    if (this.ce === 1) {
      this.ce = this.#cr;
      this.out = true;
    } else {
      this.ce -= 1;
      this.out = this.ce !== 1;
    }
  }

  #countSquareWave(): void {
    const isLongHalf = this.out && (this.#n & 1) === 1;
    if (isLongHalf && this.ce !== 0) {
      this.ce -= 2;
      return;
    }
    if (!isLongHalf) {
      this.ce -= 2;
      if (this.ce !== 0) return;
    }
    this.out = !this.out;
    this.#n = this.#cr;
    this.ce = this.#cr & ~1;
  }
}

type Action =
  | { kind: 'run'; ticks: number }
  | { kind: 'write'; count: number }
  | { kind: 'gate'; level: boolean };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('run' as const), ticks: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 2, max: 25 }) }),
    fc.record({ kind: fc.constant('gate' as const), level: fc.boolean() }),
  ),
  { minLength: 1, maxLength: 25 },
);

function programmed(mode: number, gate: boolean): PitCounter {
  const counter = new PitCounter(gate);
  counter.writeControl(3, mode, false);
  return counter;
}

function writeCount(counter: PitCounter, count: number, now: number): void {
  counter.writeLowByte(count & 0xff);
  counter.writeLastByte(count >> 8, now);
}

function readLatched(counter: PitCounter, now: number): number {
  counter.latchCount(now);
  return counter.read(now) | (counter.read(now) << 8);
}

describe('a counter agrees, at every tick, with the data sheet clocked one pulse at a time', () => {
  test.each([0, 1, 2, 3, 4, 5])('in mode %i', (mode) => {
    fc.assert(
      fc.property(actions, fc.boolean(), (steps, gate) => {
        const oracle = new ClockedCounter(mode, gate);
        const counter = programmed(mode, gate);
        let now = 1000;
        const expected: [tick: number, out: boolean, ce: number][] = [];
        const found: typeof expected = [];
        for (const step of steps) {
          if (step.kind === 'write') {
            oracle.write(step.count);
            writeCount(counter, step.count, now);
          } else if (step.kind === 'gate') {
            oracle.setGate(step.level);
            counter.setGate(step.level, now);
          } else {
            for (let tick = 0; tick < step.ticks; tick++) {
              oracle.clock();
              now += 1;
              // Before the first load CE is undefined.
              const ce = readLatched(counter, now);
              expected.push([now, oracle.out, oracle.isLoaded ? oracle.ce : ce]);
              found.push([now, counter.output(now), ce]);
            }
          }
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });
});

describe('nextEdge names the tick at which OUT rises', () => {
  test.each([0, 2, 3, 4])(
    'in mode %i, also across a count that is written while it runs',
    (mode) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 2, max: 30 }),
          fc.integer({ min: 1, max: 70 }),
          fc.integer({ min: 2, max: 30 }),
          (first, pause, second) => {
            const counter = programmed(mode, true);
            writeCount(counter, first, 0);
            writeCount(counter, second, pause);
            const rises: number[] = [];
            let before = counter.output(pause);
            for (let tick = pause + 1; tick < pause + 200; tick++) {
              const now = counter.output(tick);
              if (now && !before) rises.push(tick);
              before = now;
            }
            // Asked of a counter that nobody has looked at in between.
            const fresh = programmed(mode, true);
            writeCount(fresh, first, 0);
            writeCount(fresh, second, pause);
            const foretold: number[] = [];
            for (let at = fresh.nextEdge(pause); at < pause + 200; at = fresh.nextEdge(at)) {
              foretold.push(at);
            }
            expect(foretold).toEqual(rises);
          },
        ),
      );
    },
  );

  test('never comes in modes 2 and 3 with the illegal count 1, or while no count was written', () => {
    for (const mode of [2, 3]) {
      const counter = programmed(mode, true);
      expect(counter.nextEdge(0)).toBe(Infinity);
      writeCount(counter, 1, 0);
      expect(counter.nextEdge(0)).toBe(Infinity);
    }
  });
});

describe('access', () => {
  test('a count of 0 is 65536 in binary and 10000 in BCD', () => {
    const binary = programmed(2, true);
    writeCount(binary, 0, 0);
    expect(binary.nextEdge(0)).toBe(1 + 65536);
    expect(readLatched(binary, 2)).toBe(0xffff);
    const bcd = new PitCounter(true);
    bcd.writeControl(3, 2, true);
    writeCount(bcd, 0, 0);
    expect(bcd.nextEdge(0)).toBe(1 + 10000);
    expect(readLatched(bcd, 2)).toBe(0x9999);
  });

  test('BCD counts in decimal', () => {
    const counter = new PitCounter(true);
    counter.writeControl(3, 2, true);
    writeCount(counter, 0x1234, 0);
    expect(counter.nextEdge(0)).toBe(1 + 1234);
    expect(readLatched(counter, 1 + 35)).toBe(0x1199);
  });

  test('low-byte and high-byte access leave the other byte zero', () => {
    const low = new PitCounter(true);
    low.writeControl(1, 2, false);
    expect(low.completesCount).toBe(true);
    low.writeLastByte(0x40, 0);
    expect(low.nextEdge(0)).toBe(1 + 0x40);
    expect(low.read(1)).toBe(0x40);
    const high = new PitCounter(true);
    high.writeControl(2, 2, false);
    high.writeLastByte(0x40, 0);
    expect(high.nextEdge(0)).toBe(1 + 0x4000);
    expect(high.read(1)).toBe(0x40);
    expect(high.read(1)).toBe(0x40);
  });

  test('a latched count stands until it is read, and a second latch does not replace it', () => {
    const counter = programmed(2, true);
    writeCount(counter, 1000, 0);
    counter.latchCount(11);
    counter.latchCount(500);
    expect(counter.read(600) | (counter.read(600) << 8)).toBe(990);
    expect(counter.readsLive).toBe(true);
  });

  test('read-back shows status before count: OUT, null count, access, mode, BCD', () => {
    const counter = programmed(3, true);
    counter.latchStatus(0);
    expect(counter.read(0)).toBe(0xf6); // OUT, null, both bytes, mode 3
    writeCount(counter, 100, 0);
    counter.latchStatus(0);
    expect(counter.read(0)).toBe(0xf6); // not loaded before the next pulse
    counter.latchStatus(1);
    counter.latchCount(1);
    expect(counter.read(1)).toBe(0xb6);
    expect(counter.read(1)).toBe(100);
    expect(counter.read(1)).toBe(0);
    counter.latchStatus(1 + 50);
    expect(counter.read(51)).toBe(0x36); // the low half
  });
});
