import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromLittleEndian, littleEndian, textToHex } from '../../src/gdbstub/bytes.js';
import { I386_LAYOUT, i386Register } from '../../src/gdbstub/i386-registers.js';
import type { TargetStop } from '../../src/gdbstub/target.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { StateDigest } from '../../src/replay/digest.js';
import type { Timeline } from '../../src/replay/timeline.js';
import { loopTimeline, windowTimeline } from './guests.js';
import { LOOP_CODE, LOOP_COUNTER, LOOP_START, LoopMachine } from './loop-machine.js';
import { TestClient } from './test-client.js';

const NO_STOPS = { breakpoints: new Set<number>(), watchpoints: [] };

function register(target: TimelineTarget, name: string): number {
  return fromLittleEndian(target.registers.read(i386Register(name)));
}

function finish(motion: Generator<undefined, TargetStop>): TargetStop {
  for (;;) {
    const slice = motion.next();
    if (slice.done === true) return slice.value;
  }
}

/** Lines that a monitor command printed. */
function monitor(target: TimelineTarget, line: string): string[] {
  const client = new TestClient(target);
  const hex = client
    .ask(`qRcmd,${textToHex(line)}`)
    .filter((reply) => reply !== 'OK')
    .map((reply) => reply.slice(1))
    .join('');
  return Buffer.from(hex, 'hex').toString('utf8').trimEnd().split('\n');
}

const packet = fc.constantFrom('s', 'bs', 'c', 'bc', 'vCont;r1000,1007:1', 'vCont;r1006,1008:1');
const place = fc.constantFrom(
  '0,1000,1',
  '0,1006,1',
  '1,1001,1',
  '2,2000,4',
  '4,2002,1',
  '3,2000,4',
);
const change = fc.tuple(fc.constantFrom('Z', 'z'), place).map(([name, at]) => `${name}${at}`);

describe('TimelineTarget', () => {
  test('over the real processor, answers every walk as the model of the same loop does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.oneof(packet, packet, change), { maxLength: 25 }),
        (end, packets) => {
          const model = new LoopMachine(end);
          const timeline = loopTimeline(end);
          const target = new TimelineTarget(timeline);
          const [expected, actual] = [new TestClient(model), new TestClient(target)];
          for (const each of packets) {
            expect(actual.reply(each)).toBe(expected.reply(each));
            expect(timeline.instant).toBe(model.instant);
            expect(register(target, 'eax')).toBe(model.eax);
            expect(target.memory.read(LOOP_COUNTER, 4)).toEqual(littleEndian(model.counter, 4));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('looking at everything changes neither state nor instant', () => {
    const { timeline } = windowTimeline(150_000);
    const target = new TimelineTarget(timeline);
    timeline.seek(140_000);
    const digest = (): string => new StateDigest(timeline.machine).compute();
    const before = digest();
    for (const index of I386_LAYOUT.registers.keys()) target.registers.read(index);
    for (let page = 0; page < 1024; page++) target.memory.read(page * 4096, 4096);
    target.memory.read(0xffff_f000, 8192);
    target.status();
    monitor(target, 'when');
    monitor(target, 'events');
    expect(timeline.instant).toBe(140_000);
    expect(digest()).toBe(before);
    expect(timeline.seek(150_000).kind).toBe('instant');
  });

  test('any number of steps back and the same number forth end in the same state', () => {
    const { timeline } = windowTimeline(200_000);
    const target = new TimelineTarget(timeline);
    const instants = fc.integer({ min: 100_000, max: 200_000 });
    const digest = (): string => new StateDigest(timeline.machine).compute();
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 12 }), (at, steps) => {
        timeline.seek(at);
        const before = digest();
        for (let i = 0; i < steps; i++) finish(target.backward.step(NO_STOPS));
        expect(timeline.instant).toBe(at - steps);
        for (let i = 0; i < steps; i++) finish(target.forward.step(NO_STOPS));
        expect(timeline.instant).toBe(at);
        expect(digest()).toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  test('a read stops at the first byte that is not mapped', () => {
    const { timeline } = windowTimeline(150_000);
    const target = new TimelineTarget(timeline);
    timeline.seek(140_000);
    expect(target.memory.read(0x0020_0ffe, 4).length).toBe(4);
    expect(target.memory.read(0x0010_8ff8, 16).length).toBe(8);
    expect(target.memory.read(0x0010_9000, 4).length).toBe(0);
    expect(target.memory.read(0xffff_fffe, 4).length).toBe(0);
  });
});

describe('a diversion', () => {
  function diverted(): { target: TimelineTarget; timeline: Timeline } {
    const timeline = loopTimeline(100);
    const target = new TimelineTarget(timeline);
    timeline.seek(50);
    timeline.seek(20);
    expect(target.registers.write?.(i386Register('eax'), littleEndian(1000, 4))).toBeNull();
    return { target, timeline };
  }

  test('begins when a register is set, says so once, and is left by going back', () => {
    const { target, timeline } = diverted();
    expect(target.takeNotices()).toEqual([expect.stringMatching(/^a diversion begins at @20: /)]);
    expect(target.status()).toBe('@20 CPL=0 IF=0 shadow=none diverted');
    target.memory.write?.(LOOP_COUNTER, Uint8Array.of(9));
    expect(target.takeNotices()).toEqual([]);
    finish(target.forward.step(NO_STOPS));
    expect(register(target, 'eax')).toBe(1001);
    finish(target.backward.step(NO_STOPS));
    expect(timeline.instant).toBe(20);
    expect(timeline.isDiverted).toBe(false);
    expect(register(target, 'eax')).toBe(5);
    expect(fromLittleEndian(target.memory.read(LOOP_COUNTER, 4))).toBe(5);
  });

  test('comes by a breakpoint where it began on the way back, if it has left there', () => {
    const { target, timeline } = diverted();
    const linear = register(target, 'eip');
    const stops = { breakpoints: new Set([linear]), watchpoints: [] };
    finish(target.forward.step(NO_STOPS));
    expect(finish(target.backward.continue(stops))).toEqual({ kind: 'breakpoint', linear });
    expect(timeline.instant).toBe(20);
    target.registers.write?.(i386Register('eax'), littleEndian(1000, 4));
    finish(target.backward.continue(stops));
    expect(timeline.instant).toBeLessThan(20);
  });

  test('changed code runs changed, and the recorded past is as it was', () => {
    const { target, timeline } = diverted();
    target.memory.write?.(LOOP_START, Uint8Array.of(0x48));
    for (let i = 0; i < 4; i++) finish(target.forward.step(NO_STOPS));
    expect(register(target, 'eax')).toBe(999);
    timeline.seek(50);
    expect(register(target, 'eax')).toBe(13);
    expect(target.memory.read(LOOP_START, 1)).toEqual(LOOP_CODE.slice(0, 1));
  });

  test('setting what is there already begins none', () => {
    const timeline = loopTimeline(100);
    const target = new TimelineTarget(timeline);
    for (const index of I386_LAYOUT.registers.keys()) {
      expect(target.registers.write?.(index, target.registers.read(index))).toBeNull();
    }
    expect(timeline.isDiverted).toBe(false);
  });

  test('what is not for setting is refused, and begins none', () => {
    const timeline = loopTimeline(100);
    const target = new TimelineTarget(timeline);
    const write = (name: string): string | null | undefined =>
      target.registers.write?.(i386Register(name), littleEndian(0x1234, 4));
    expect(write('instant')).toContain('monitor seek');
    expect(write('cs')).toContain('$cs cannot be set');
    expect(target.memory.write?.(0x8000_0000, Uint8Array.of(1))).toContain('RAM');
    expect(timeline.isDiverted).toBe(false);
  });

  test('EFLAGS keeps the bits that would be another mode', () => {
    const target = new TimelineTarget(loopTimeline(100));
    target.registers.write?.(i386Register('eflags'), littleEndian(-1, 4));
    expect(register(target, 'eflags')).toBe(0x0025_7fd7);
  });

  test('ends with its client, at the instant where it began', () => {
    const { target, timeline } = diverted();
    finish(target.forward.step(NO_STOPS));
    new TestClient(target).session.disconnect();
    expect(timeline.isDiverted).toBe(false);
    expect(timeline.instant).toBe(20);
  });

  test('kill ends it and goes to the beginning', () => {
    const { target, timeline } = diverted();
    expect(new TestClient(target).reply('vKill;1')).toBe('OK');
    expect(timeline.instant).toBe(0);
    expect(timeline.isDiverted).toBe(false);
  });
});

describe('monitor', () => {
  const { timeline, symbols } = windowTimeline(300_000);
  const target = new TimelineTarget(timeline, { symbols });
  const accepted = timeline.events(0, 300_000).filter((event) => event.kind === 'accept');

  test('when tells the instant, the state there, and the end', () => {
    timeline.seek(0);
    expect(monitor(target, 'when')).toEqual([
      `@0 CPL=0 IF=0 shadow=none, of @${timeline.end ?? 0}`,
    ]);
  });

  test('seek goes to an instant, by number or by name, and warns that gdb does not see it', () => {
    expect(monitor(target, 'seek @1234')[0]).toMatch(/^@1234 /);
    expect(monitor(target, 'seek +6')[0]).toMatch(/^@1240 /);
    expect(monitor(target, 'seek -40')[0]).toMatch(/^@1200 /);
    expect(monitor(target, 'seek begin')[0]).toMatch(/^@0 /);
    const lines = monitor(target, 'seek end');
    expect(lines[0]).toMatch(new RegExp(`^@${timeline.end ?? 0} `));
    expect(lines.at(-1)).toContain('maintenance flush register-cache');
    expect(monitor(target, 'seek @99999999')).toEqual(
      expect.arrayContaining(['This is the end: nothing is recorded beyond it.']),
    );
    expect(monitor(target, 'seek -99999999')).toEqual(
      expect.arrayContaining(['This is the beginning.']),
    );
  });

  test('seek says what is wrong with an instant', () => {
    expect(monitor(target, 'seek')[0]).toContain('give one instant');
    expect(monitor(target, 'seek soon')[0]).toContain('"soon" is not an instant');
  });

  test('events shows what was recorded around an instant, with symbols', () => {
    const { at } = accepted[0];
    const lines = monitor(target, `events --around @${at} --count 2`);
    expect(lines.length).toBe(5);
    expect(lines[2]).toBe(`=> @${at}`);
    const taken = lines.findIndex((line) => line.includes(`at @${at} <`));
    expect(taken).toBeGreaterThan(2);
    expect(lines[taken]).toMatch(/IRQ 0 taken \(vector 32, .* <\w+\+\d+>$/);
  });

  test('events takes one kind alone', () => {
    const lines = monitor(target, 'events --around @0 --count 1000 --kind accept');
    expect(lines.filter((line) => line.includes('taken')).length).toBe(accepted.length);
    expect(lines.length).toBe(accepted.length + 1);
    expect(monitor(target, 'events --kind serial')).toEqual(['no such events are recorded']);
  });

  test('events says what is wrong with its options', () => {
    expect(monitor(target, 'events --count 0')[0]).toContain('--count takes 1 to 1000');
    expect(monitor(target, 'events --count')[0]).toContain('needs a value');
    expect(monitor(target, 'events --all yes')[0]).toContain('no option --all');
  });
});
