/** The race in traces/sti-sysexit-padding is what its README says, to the instant. */
import { beforeAll, describe, expect, test } from 'vitest';
import { setUp } from '../../src/cli/machine-setup.js';
import { openTraceFile } from '../../src/cli/trace-file.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { EFLAGS_IF } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import type { Machine } from '../../src/machine/machine.js';
import type { SymbolTable } from '../../src/machine/symbols.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Replayer } from '../../src/replay/replayer.js';
import { readRecipe, tracePath } from './support/recipe.js';
import { storyOf } from './support/story.js';

const NAME = 'sti-sysexit-padding';
const FILE = tracePath(NAME, 'race.trace');
/** Rows of the README's table. */
const TAKEN_ROW = 1;
const SYSEXIT_ROW = 4;
const STI = 0xfb;
const NOP = 0x90;
const SYSEXIT = [0x0f, 0x35];

describe('traces/sti-sysexit-padding', () => {
  let machine: Machine;
  let replayer: Replayer;
  let symbols: SymbolTable;
  let events: readonly TraceEvent[];
  let takenAt: number;
  let sysexitAt: number;

  /** The linear address of a symbol; paging maps the kernel where it is. */
  const at = (name: string): number => {
    const address = symbols.address(name);
    if (address === null) throw new Error(`the image has no symbol ${name}`);
    return address;
  };
  const eip = (): number => machine.cpu.core.state.eip;
  const byte = (address: number): number => machine.cpu.core.physical.read(address, 1);
  const goTo = (instant: number): void => {
    replayer.advance(instant);
    expect(machine.cpu.instant).toBe(instant);
  };

  beforeAll(() => {
    const trace = openTraceFile(FILE);
    const ready = setUp(startFromTrace(trace, FILE));
    machine = ready.machine;
    symbols = ready.image.symbols;
    events = [...trace.events];
    const story = storyOf(readRecipe(NAME), trace, NAME);
    takenAt = story[TAKEN_ROW].instant;
    sysexitAt = story[SYSEXIT_ROW].instant;
    replayer = new Replayer(machine, new ListCursor(events), trace.lastInstant);
    replayer.attach();
  });

  test('the interrupt is taken between the last NOP and SYSEXIT, in the kernel, with no shadow', () => {
    const sysexit = at('sti_sysexit_sysexit');
    const accepted = events.filter((event) => event.kind === 'accept' && event.at === takenAt);
    expect(accepted).toMatchObject([{ vector: 0x20, line: 0, cpl: 0, eip: sysexit, shadow: 0 }]);
    expect(byte(at('sti_sysexit_sti'))).toBe(STI);
    expect(byte(sysexit - 1)).toBe(NOP);
    expect([byte(sysexit), byte(sysexit + 1)]).toEqual(SYSEXIT);
  });

  test('the exit had found no work to do when it passed its test', () => {
    goTo(takenAt);
    expect(eip()).toBe(at('sti_sysexit_sysexit'));
    expect(machine.cpu.core.state.get(L.FLAG_SYSTEM) & EFLAGS_IF).toBe(EFLAGS_IF);
    expect(byte(at('need_resched'))).toBe(0);
  });

  test('the handler sees a frame of the kernel', () => {
    goTo(takenAt + 1);
    const { state, physical } = machine.cpu.core;
    expect(eip()).toBe(at('irq0_entry'));
    expect(physical.read(state.esp, 4)).toBe(at('sti_sysexit_sysexit'));
    expect(physical.read(state.esp + 4, 4) & 3).toBe(0);
  });

  test('user mode is entered with need_resched set', () => {
    let steps = 0;
    while (machine.cpu.core.state.cpl === 0 && steps < 100) {
      goTo(machine.cpu.instant + 1);
      steps += 1;
    }
    expect(machine.cpu.core.state.cpl).toBe(3);
    expect(machine.cpu.instant).toBe(sysexitAt + 1);
    expect(byte(at('need_resched'))).toBe(1);
  });

  test('it replays to the recorded end with no divergence', () => {
    while (replayer.outcome === null && replayer.divergence === null) {
      replayer.advance(machine.cpu.instant + 100_000);
    }
    expect(replayer.divergence).toBeNull();
    expect(replayer.outcome).toEqual({ kind: 'exit', status: 67, value: 0x21 });
  });
});
