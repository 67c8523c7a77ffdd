import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { StateDigest } from '../../src/replay/digest.js';
import { Session } from '../../src/replay/session.js';
import { bareGuest } from './bare-guest.js';
import { record } from './recording.js';
import { EXIT_VALUE, timerGuest } from './timer-guest.js';

const HLT = 0xf4;
const STI = 0xfb;
/** MOV AL, imm8; OUT imm8, AL. */
const out = (port: number, value: number): number[] => [0xb0, value, 0xe6, port];
const outcomeOf = (...bytes: number[]): unknown =>
  record(bareGuest(...bytes), new VirtualClock()).outcome;

/** With serial input that ends. */
const outcomeWith = (serial: string, ...bytes: number[]): unknown =>
  record(bareGuest(...bytes), new VirtualClock(), { serial }).outcome;

describe('the outcome of a session', () => {
  test('a byte v written to port F4h is exit status (v << 1 | 1) & 0xff', () => {
    expect(outcomeOf(...out(0xf4, 0x31), HLT)).toEqual({ kind: 'exit', value: 0x31, status: 99 });
    expect(outcomeOf(...out(0xf4, 0xff), HLT)).toEqual({ kind: 'exit', value: 0xff, status: 255 });
  });

  test('HLT with IF clear is halted', () => {
    expect(outcomeOf(HLT)).toEqual({ kind: 'halted' });
  });

  test('HLT with IF set and every line masked is halted, though the timer ticks', () => {
    expect(outcomeOf(STI, HLT)).toEqual({ kind: 'halted' });
  });

  test('a fault without an IDT ends in a triple fault: shutdown', () => {
    expect(outcomeOf(0x0f, 0x0b)).toEqual({ kind: 'shutdown' });
  });

  test('a pulse of the reset line by the keyboard controller is reset', () => {
    expect(outcomeOf(...out(0x64, 0xfe), HLT)).toEqual({ kind: 'reset' });
  });

  test('the limit counts retired instructions, not iterations of REP', () => {
    // MOV ECX, 1000; MOV EDI, 5000h; REP STOSB; INC EAX; JMP back to INC.
    const bytes = [0xb9, 0xe8, 3, 0, 0, 0xbf, 0, 0x50, 0, 0, 0xf3, 0xaa, 0x40, 0xeb, 0xfd];
    const machine = bareGuest(...bytes);
    const { outcome, end } = record(machine, new VirtualClock(), { maxInstructions: 13 });
    expect(outcome).toEqual({ kind: 'limit' });
    expect([machine.cpu.retired, end]).toEqual([13, 13 + 999]);
  });

  test('whoever stops it gets interrupted, once', () => {
    const session = new Session(bareGuest(0xeb, 0xfe), new VirtualClock());
    expect(session.slice(100)).toBe('running');
    expect(session.interrupt()).toEqual({ kind: 'interrupted' });
    expect(session.slice(100)).toEqual({ kind: 'interrupted' });
    expect(session.advance(1000)).toBe('end');
  });
});

describe('a session', () => {
  test('gives the same run however it is sliced', () => {
    const whole = record(timerGuest(), new VirtualClock(), { serial: 'abc' });
    const sliced = record(timerGuest(), new VirtualClock(), { serial: 'abc', slice: 97 });
    expect(sliced.events).toEqual(whole.events);
    expect(whole.outcome).toMatchObject({ kind: 'exit', value: EXIT_VALUE });
  });

  test('is not changed by being recorded', () => {
    const recorded = record(timerGuest(), new VirtualClock());
    const machine = timerGuest();
    const session = new Session(machine, new VirtualClock());
    while (session.slice(50_000) === 'running');
    expect(machine.cpu.instant).toBe(recorded.end);
    expect(new StateDigest(machine).compute()).toBe(new StateDigest(recorded.machine).compute());
  });

  test('stops exactly at the instant asked for', () => {
    const machine = timerGuest();
    const session = new Session(machine, new VirtualClock());
    for (const instant of [1, 2, 1000, 40_000, 40_001]) {
      let exit;
      do exit = session.advance(instant);
      while (exit === 'stopped');
      expect([exit, machine.cpu.instant]).toEqual(['until', instant]);
    }
  });

  test('waits for a guest that halts for good while serial bytes may come, and no longer', () => {
    const session = new Session(bareGuest(STI, HLT), new VirtualClock(), { awaitsSerial: true });
    expect(session.slice(10)).toBe('waiting');
    session.awaitsSerial = false;
    expect(session.slice(10)).toEqual({ kind: 'halted' });
  });

  test('hands serial bytes to the guest one after another, without loss', () => {
    const { output } = record(timerGuest(), new VirtualClock(), { serial: 'abcdefgh' });
    // The guest answers each byte with the next letter, among letters of its own in upper case.
    expect(output.replaceAll(/[A-Z]/g, '')).toBe('bcdefghi');
  });

  test('keeps serial bytes back for which the guest’s UART has no room', () => {
    const arrivals = (...bytes: number[]): number => {
      const limits = { serial: 'x'.repeat(40), maxInstructions: 500_000 };
      const { events, machine } = record(bareGuest(...bytes), new VirtualClock(), limits);
      expect(machine.ports.read(0x3fd, 1) & 0x02, 'overrun').toBe(0);
      return events.filter(({ kind }) => kind === 'serial').length;
    };
    const loop = [0x40, 0xeb, 0xfd];
    expect(arrivals(...loop)).toBe(1);
    // MOV DX, 3FAh; MOV AL, 1; OUT DX, AL: the FIFO of 16, which drops the byte that was there before.
    expect(arrivals(0x66, 0xba, 0xfa, 0x03, 0xb0, 1, 0xee, ...loop)).toBe(1 + 16);
  });

  test('ends where only bytes that find no room are left', () => {
    expect(outcomeWith('ab', STI, HLT, 0xeb, 0xfd)).toEqual({ kind: 'halted' });
  });
});
