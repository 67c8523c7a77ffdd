/**
 * Random walks through recordings: `stepi`, `reverse-stepi`, seeks. Whatever way an instant is reached, the
 * whole machine is in the same state there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setUp } from '../../src/cli/machine-setup.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import type { Machine } from '../../src/machine/machine.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { StateDigest } from '../../src/replay/digest.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';
import { Timeline } from '../../src/replay/timeline.js';
import { readTrace, type TraceStart } from '../../src/replay/trace-format.js';
import { timerGuest } from './timer-guest.js';

const ROOT = new URL('../../', import.meta.url).pathname;

/** A past, and machines to go through it with. */
export interface Subject {
  readonly name: string;
  readonly events: readonly TraceEvent[];
  readonly end: number;
  readonly newMachine: () => Machine;
}

/** How a walk goes on from where it is. */
export type Move =
  | { readonly kind: 'stepi' | 'reverse-stepi'; readonly count: number }
  | { readonly kind: 'nudge'; readonly by: number }
  /** To the n-th accepted interrupt, in front of it or behind: where instants are easily mixed up. */
  | { readonly kind: 'interrupt'; readonly pick: number; readonly by: number }
  /** A part of the whole, from 0 to 1. */
  | { readonly kind: 'seek'; readonly part: number };

/** Recordings of every guest and every trace in the repository, each up to so many instructions. */
export function subjects(maxInstructions: number): Subject[] {
  const images = imagePaths(`${ROOT}guest`).map((path) => {
    const start: TraceStart = {
      holdoffVersion: '0',
      machine: { memoryBytes: 16 << 20, clock: 'random', seed: 11, cmdline: null },
      images: [{ name: path, role: 'kernel', bytes: readFileSync(path) }],
      loadAddress: null,
    };
    const newMachine = (): Machine => setUp(start).machine;
    return recorded(path.slice(ROOT.length), newMachine, maxInstructions);
  });
  const guest = (): Machine => timerGuest(1_000_000);
  return [...images, ...traces(), recorded('the timer guest of the tests', guest, maxInstructions)];
}

function imagePaths(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return imagePaths(path);
    return entry.name.endsWith('.elf') ? [path] : [];
  });
}

function traces(): Subject[] {
  return readdirSync(`${ROOT}traces`)
    .map((name) => ({ name: `traces/${name}`, path: `${ROOT}traces/${name}/race.trace` }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => {
      const trace = readTrace(readFileSync(path));
      const start = startFromTrace(trace, path);
      const newMachine = (): Machine => setUp(start).machine;
      return { name, events: [...trace.events], end: trace.lastInstant, newMachine };
    });
}

function recorded(name: string, newMachine: () => Machine, maxInstructions: number): Subject {
  const machine = newMachine();
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, new RandomClock(11), { recorder, maxInstructions });
  session.pushSerial(Buffer.from('holdoff'));
  while (session.slice(1_000_000) === 'running');
  return { name, events, end: machine.cpu.instant, newMachine };
}

/** Walks through one subject, and remembers the digest of each instant that it has come to. */
export class Walker {
  readonly digests = new Map<number, string>();
  readonly #subject: Subject;
  readonly #timeline: Timeline;
  readonly #digest: StateDigest;
  readonly #interrupts: readonly number[];

  constructor(subject: Subject) {
    this.#subject = subject;
    const { newMachine, events, end } = subject;
    this.#timeline = Timeline.overTrace(newMachine(), events.slice(), end);
    this.#digest = new StateDigest(this.#timeline.machine);
    this.#interrupts = events.filter(({ kind }) => kind === 'accept').map(({ at }) => at);
  }

  /** @throws Error where an instant is not what it was before, or a motion ends elsewhere. */
  walk(moves: readonly Move[]): void {
    this.#look();
    for (const move of moves) {
      switch (move.kind) {
        case 'stepi':
          for (let step = 0; step < move.count; step++) this.#step('forward');
          break;
        case 'reverse-stepi':
          for (let step = 0; step < move.count; step++) this.#step('backward');
          break;
        case 'nudge':
          this.#seek(this.#timeline.instant + move.by);
          break;
        case 'interrupt':
          if (this.#interrupts.length === 0) break;
          this.#seek(this.#interrupts[move.pick % this.#interrupts.length] + move.by);
          break;
        case 'seek':
          this.#seek(Math.floor(move.part * this.#subject.end));
          break;
      }
    }
  }

  /** Compares all that was seen with one run from the beginning. @throws Error at the first difference. */
  compareWithPlainRun(): void {
    const { newMachine, events, end } = this.#subject;
    const machine = newMachine();
    const replayer = new Replayer(machine, new ListCursor(events), end);
    replayer.attach();
    const digest = new StateDigest(machine);
    for (const instant of [...this.digests.keys()].sort((a, b) => a - b)) {
      replayer.advance(instant);
      this.#expect(instant, machine.cpu.instant, digest.compute());
    }
  }

  #step(direction: 'forward' | 'backward'): void {
    const from = this.#timeline.instant;
    const stop = this.#timeline.step(direction);
    const isAtEnd = direction === 'forward' ? from === this.#subject.end : from === 0;
    const to = isAtEnd ? from : from + (direction === 'forward' ? 1 : -1);
    if (stop.kind === 'divergence' || this.#timeline.instant !== to) {
      throw new Error(`a step ${direction} from @${from} ended at @${this.#timeline.instant}`);
    }
    this.#look();
  }

  #seek(to: number): void {
    const goal = Math.min(Math.max(to, 0), this.#subject.end);
    this.#timeline.seek(goal);
    if (this.#timeline.instant !== goal) throw new Error(`@${goal} was not reached`);
    this.#look();
  }

  #look(): void {
    const { instant } = this.#timeline;
    const found = this.#digest.compute();
    const known = this.digests.get(instant);
    if (known === undefined) this.digests.set(instant, found);
    else this.#expect(instant, instant, found);
  }

  #expect(instant: number, reached: number, found: string): void {
    if (reached === instant && found === this.digests.get(instant)) return;
    throw new Error(`${this.#subject.name}: @${instant} is two states (reached @${reached})`);
  }
}
