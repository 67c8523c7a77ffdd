/** What going back must not cost: the code that was compiled on the way. */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { Checkpoints } from '../../src/replay/checkpoint.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { Timeline } from '../../src/replay/timeline.js';
import { bareGuest, ORIGIN } from './bare-guest.js';
import { record } from './recording.js';
import { timerGuest } from './timer-guest.js';

/** Counts how often decoded code of any page is dropped. */
function countDrops(machine: Machine): () => number {
  const { physical } = machine.cpu.core;
  const clear = physical.clearCode.bind(physical);
  let drops = 0;
  physical.clearCode = (page) => {
    drops += 1;
    clear(page);
  };
  return () => drops;
}

describe('going back keeps decoded code', () => {
  test('whose page has variables that are restored', () => {
    // nop; jmp back
    const machine = bareGuest(0x90, 0xeb, 0xfd);
    const variable = ORIGIN + 0xe00;
    machine.run(1000);
    const { physical } = machine.cpu.core;
    physical.load(variable, Uint8Array.of(1));
    const checkpoints = new Checkpoints(machine);
    checkpoints.take(0);
    physical.load(variable, Uint8Array.of(2));
    const drops = countDrops(machine);
    checkpoints.restore(checkpoints.nearest(machine.cpu.instant)!);
    expect(physical.ram[variable]).toBe(1);
    expect(drops()).toBe(0);
  });

  test('when a motion has the same breakpoints as the one before, or none as before', () => {
    const { events, end } = record(timerGuest(20_000), new RandomClock(3));
    const machine = timerGuest(20_000);
    const line = Timeline.overTrace(machine, events, end);
    line.seek(end);
    const drops = countDrops(machine);
    for (let each = 0; each < 5; each++) {
      const stops = { breakpoints: new Set<number>(), watchpoints: [], deliveries: () => true };
      const motion = line.continue('backward', stops);
      let step = motion.next();
      while (step.done !== true) step = motion.next();
      expect(step.value.kind).toBe('delivery');
    }
    expect(drops()).toBe(0);
  });
});
