/**
 * What every placement of an event does, found the slow way: each on a machine of its own, from reset to
 * the run's end, with nothing pruned and nothing shared. It is what cleverer searches are held to.
 */
import { liveSource } from '../../../src/cli/live-source.js';
import { setUp, startFromOptions } from '../../../src/cli/machine-setup.js';
import { EFLAGS_IF } from '../../../src/cpu/eflags.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { MachineInput } from '../../../src/machine/input.js';
import type { Machine } from '../../../src/machine/machine.js';
import type { SymbolTable } from '../../../src/machine/symbols.js';
import type { Instant } from '../../../src/replay/instant.js';
import type { Outcome } from '../../../src/replay/outcome.js';
import { Session } from '../../../src/replay/session.js';
import { addressOf, placeOf } from '../../traces/support/place.js';
import { machineOptions, ROOT } from '../../traces/support/recipe.js';

/** What a race exits with where all is well: it writes 31h to port F4h. */
export const STATUS_OK = 99;
/** Instructions after which a run that hasn't ended has hung. */
const LIMIT = 200_000;

/** An image, how it is run, and what is placed between which of its places. */
export interface Experiment {
  /** Path from the root. */
  readonly image: string;
  /** As on the command line. */
  readonly options: readonly string[];
  readonly input: MachineInput;
  /** The range: from the first visit of one place to the first of the other, itself not included. */
  readonly from: string;
  readonly to: string;
}

/** What one placement did. */
export interface Placement {
  readonly at: Instant;
  /** The instruction before which it was placed, and which of the range's visits to it this is, from 1. */
  readonly place: string;
  readonly visit: number;
  /** The processor could take the event there and then. */
  readonly isOpen: boolean;
  /** The guest didn't end by saying that all is well. */
  readonly isBad: boolean;
  readonly outcome: Outcome;
  readonly output: string;
}

interface Run {
  readonly machine: Machine;
  readonly symbols: SymbolTable;
  readonly session: Session;
  readonly output: () => string;
}

function begin({ image, options }: Experiment): Run {
  const chosen = machineOptions([...options, '--memory', '4M']);
  const start = startFromOptions(`${ROOT}${image}`, chosen);
  const ready = setUp(start, 'interpreter');
  let output = '';
  ready.machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  const source = liveSource(start.machine);
  const session = new Session(ready.machine, source, { maxInstructions: LIMIT });
  const { machine, image: loaded } = ready;
  return { machine, symbols: loaded.symbols, session, output: () => output };
}

function goTo(run: Run, at: Instant): void {
  while (run.machine.cpu.instant < at && run.session.outcome === null) run.session.advance(at);
}

function finish(run: Run): Outcome {
  while (run.session.outcome === null) run.session.advance(Number.POSITIVE_INFINITY);
  return run.session.outcome;
}

/** The run without the event. */
export function undisturbed(experiment: Experiment): { outcome: Outcome; output: string } {
  const run = begin(experiment);
  return { outcome: finish(run), output: run.output() };
}

/** The boundaries of the range in order, with where the guest is at each. */
export function boundaries(
  experiment: Experiment,
): { at: Instant; place: string; visit: number }[] {
  const run = begin(experiment);
  const from = addressOf(run.symbols, experiment.from);
  const to = addressOf(run.symbols, experiment.to);
  const found: { at: Instant; place: string; visit: number }[] = [];
  const visits = new Map<number, number>();
  for (let isInside = false; run.session.outcome === null; ) {
    const eip = run.machine.cpu.core.state.eip >>> 0;
    isInside ||= eip === from;
    if (isInside && eip === to) return found;
    const visit = (visits.get(eip) ?? 0) + 1;
    if (isInside) {
      visits.set(eip, visit);
      found.push({ at: run.machine.cpu.instant, place: placeOf(run.symbols, eip), visit });
    }
    goTo(run, run.machine.cpu.instant + 1);
  }
  throw new Error(`${experiment.image} was never from ${experiment.from} to ${experiment.to}`);
}

/** Intel SDM vol. 3A, table 6-2: what lies between an event and its delivery at this boundary. */
function admits(machine: Machine, input: MachineInput): boolean {
  const { state } = machine.cpu.core;
  const shadow = state.get(L.SHADOW);
  if (input.kind === 'exception') return true;
  if (input.kind === 'nmi') return shadow !== L.SHADOW_MOV_SS && state.get(L.NMI_BLOCKED) === 0;
  return shadow === L.SHADOW_NONE && (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0;
}

/** Every placement of the range. */
export function placements(experiment: Experiment): Placement[] {
  return boundaries(experiment).map(({ at, place, visit }) => {
    const run = begin(experiment);
    goTo(run, at);
    const isOpen = admits(run.machine, experiment.input);
    run.session.inject(experiment.input);
    const outcome = finish(run);
    const isBad = outcome.kind !== 'exit' || outcome.status !== STATUS_OK;
    return { at, place, visit, isOpen, isBad, outcome, output: run.output() };
  });
}
