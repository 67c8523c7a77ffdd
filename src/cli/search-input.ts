/** What a search starts from: a trace, or an image that is recorded first. */
import type { SymbolTable } from '../machine/symbols.js';
import { UserError } from '../machine/user-error.js';
import type { TraceEvent } from '../replay/event.js';
import type { Outcome } from '../replay/outcome.js';
import { Recorder } from '../replay/recorder.js';
import { Session } from '../replay/session.js';
import type { TraceStart } from '../replay/trace-format.js';
import { BaseRun } from '../search/base-run.js';
import type { Guest, GuestMaker } from '../search/guest.js';
import { RecordedPast } from '../search/schedule.js';
import type { VerdictSpec } from '../search/verdict.js';
import type { ImageFolders } from './image-options.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions } from './machine-setup.js';
import { isTraceFile, openTraceFile } from './trace-file.js';
import { startFromTrace } from './trace-images.js';
import { traceSymbols } from './trace-symbols.js';

/** A guest and one recorded run of it. */
export interface SearchInput {
  /** What a trace of it starts with. */
  readonly start: TraceStart;
  readonly past: RecordedPast;
  readonly symbols: SymbolTable;
  /** How the recorded run ended. */
  readonly outcome: Outcome;
  readonly makeGuest: GuestMaker;
  /** Makes a guest with its images loaded, whatever the run begins with. */
  readonly makeLoaded: GuestMaker;
}

/** Steps that no search waits for; a hang that is no halt is a matter of `--bad-hang`. */
const FOR_EVER = 1e12;
/** An image is recorded for so long where nothing else is said. */
const INSTRUCTIONS_MOST = 20_000_000;

/** Opens a trace, or records an image. @throws UserError where that fails. */
export function searchInput(
  path: string | undefined,
  options: MachineOptions & ImageFolders,
): SearchInput {
  if (path !== undefined && isTraceFile(path)) return inputFromTrace(path, options);
  const wanted = startFromOptions(path, options);
  const { machine, image } = setUp(wanted, options.engine);
  const start = { ...wanted, loadAddress: image.kind === 'flat' ? image.entry : null };
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, liveSource(start.machine, true), {
    recorder,
    maxInstructions: Math.min(options.maxInstructions, INSTRUCTIONS_MOST),
  });
  while (session.outcome === null) session.advance(Number.POSITIVE_INFINITY);
  return {
    start,
    past: new RecordedPast(events, machine.cpu.instant),
    symbols: image.symbols,
    outcome: session.outcome,
    makeGuest: () => guestOf(start, options.engine),
    makeLoaded: () => guestOf(start, options.engine),
  };
}

/** A trace as a search's start. @throws UserError where it cannot be read. */
export function inputFromTrace(path: string, folders: ImageFolders = {}): SearchInput {
  const trace = openTraceFile(path);
  const start = startFromTrace(trace, path, folders);
  const begin =
    trace.start === null ? undefined : { at: trace.start.at, clocks: trace.start.clocks };
  const past = new RecordedPast([...trace.events], trace.lastInstant, begin);
  // One of another version of a device or of the hypervisor shows it in its first digest.
  new BaseRun(guestOf(start).machine, past);
  return {
    start,
    past,
    symbols: traceSymbols(start),
    outcome: trace.end?.outcome ?? { kind: 'incomplete' },
    makeGuest: () => guestOf(start),
    makeLoaded: () => guestOf(withoutCheckpoint(start)),
  };
}

/**
 * The verdicts that were asked for; where none was, what is bad is what the recorded run ended in.
 * @throws UserError where nobody says what is bad.
 */
export function verdictsOrOutcome(
  specs: readonly VerdictSpec[],
  outcome: Outcome,
): readonly VerdictSpec[] {
  if (specs.length > 0) return specs;
  if (outcome.kind === 'exit') return [{ kind: 'exit', text: `==${outcome.status}` }];
  if (outcome.kind === 'shutdown' || outcome.kind === 'reset') return [{ kind: 'crash' }];
  if (outcome.kind === 'halted') return [{ kind: 'hang', steps: FOR_EVER }];
  throw new UserError(
    'nothing says what makes a run bad; give --bad-exit, --bad-serial, --bad-hit, --bad-crash, --bad-hang, --assert or --bad-script',
  );
}

function withoutCheckpoint(start: TraceStart): TraceStart {
  const { checkpoint, ...loaded } = start;
  return checkpoint === undefined ? start : loaded;
}

function guestOf(start: TraceStart, engine?: MachineOptions['engine']): Guest {
  const { machine, image } = setUp(start, engine);
  return { machine, symbols: image.symbols };
}
