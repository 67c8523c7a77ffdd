/** The races that an emulator may have itself: R11 in its compiled code, R13 in its checkpoints. */
import { describe, expect, test } from 'vitest';
import { setUp, startFromOptions } from '../../src/cli/machine-setup.js';
import type { Machine } from '../../src/machine/machine.js';
import type { SymbolTable } from '../../src/machine/symbols.js';
import { StateDigest } from '../../src/replay/digest.js';
import { addressOf } from '../traces/support/place.js';
import { machineOptions, ROOT } from '../traces/support/recipe.js';
import { boundaries } from './support/brute-force.js';
import { experimentOf, readRace } from './support/race.js';

function guest(name: string): { readonly machine: Machine; readonly symbols: SymbolTable } {
  const options = machineOptions(['--memory', '4M']);
  const { machine, image } = setUp(startFromOptions(`${ROOT}guest/races/${name}`, options));
  machine.requestClock = (source) => machine.inject({ kind: 'clock', source, value: 0 });
  return { machine, symbols: image.symbols };
}

function runTo(machine: Machine, address: number): void {
  machine.cpu.breakpoints = new Set([address]);
  expect(machine.run(100_000)).toBe('breakpoint');
  machine.cpu.breakpoints = new Set();
}

/** How the run ended and what the machine was like then. */
function finished(machine: Machine): unknown {
  const exit = machine.run(machine.cpu.instant + 100_000);
  const { instant } = machine.cpu;
  return { exit, instant, digest: new StateDigest(machine).compute() };
}

describe('R11: the window behind STI; RET', () => {
  const PASSES = 10_000;
  const PASS_STEPS = 7;

  test.each([0, 1, 2, 3, 4, 5, 6])(
    'lets an interrupt in within a pass when the loop is compiled, %i steps into one',
    (steps) => {
      const { machine, symbols } = guest('r11-sti-ret/right.elf');
      const { physical } = machine.cpu.core;
      runTo(machine, addressOf(symbols, 'race'));
      physical.write(addressOf(symbols, 'passes'), 4, PASSES);
      runTo(machine, addressOf(symbols, 'pass'));
      const raisedAt = machine.cpu.instant + (PASS_STEPS * PASSES) / 2 + steps;
      machine.run(raisedAt);
      expect(physical.read(addressOf(symbols, 'ticks'), 4)).toBe(0);
      machine.inject({ kind: 'irq', line: 0 });
      let takenAt = -1;
      machine.cpu.onDelivery = () => {
        takenAt = machine.cpu.instant;
      };
      machine.run(raisedAt + PASS_STEPS);
      expect(takenAt).toBeGreaterThanOrEqual(raisedAt);
      expect(takenAt).toBeLessThan(raisedAt + PASS_STEPS);
    },
  );
});

describe('R13: a checkpoint holds the interrupt shadow', () => {
  const race = readRace('r13-shadow-snapshot');
  const name = 'r13-shadow-snapshot/wrong.elf';

  test.each(boundaries(experimentOf(race, race.wrong)))(
    'another machine goes on from $place as the first one does',
    ({ at }) => {
      const first = guest(name).machine;
      first.run(at);
      const state = first.save();
      const ram = first.cpu.core.physical.ram.slice();
      const second = guest(name).machine;
      second.cpu.core.physical.load(0, ram);
      second.restore(state);
      const end = finished(second);
      expect(end).toEqual(finished(first));
      expect(end).toMatchObject({ exit: 'exit' });
    },
  );
});
