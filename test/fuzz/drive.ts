/** Ways to take a processor through the same stream, which must all come out the same. */
import type { Cpu, RunExit } from '../../src/cpu/cpu.js';
import type { AccessWatch } from '../../src/cpu/mmu.js';
import type { Choices } from './choices.js';
import { CODE, CODE_END, RAM_BYTES } from './layout.js';

/** What happens at a pin, and at which instant; earlier where the processor has halted by then. */
export interface PinEvent {
  readonly at: number;
  readonly isNmi: boolean;
}

/** How long a stream is, and what comes from outside. */
export interface Course {
  readonly steps: number;
  readonly events: readonly PinEvent[];
}

/** Mostly short: what is new comes from new worlds rather than from long lives. */
export function anyCourse(choices: Choices): Course {
  const steps = choices.oneIn(20) ? 100 : 4 + choices.below(20);
  const events: PinEvent[] = [];
  let at = choices.oneIn(3) ? steps : choices.below(steps);
  while (at < steps) {
    events.push({ at, isNmi: choices.oneIn(4) });
    at += choices.below(16);
  }
  return { steps, events };
}

/** Runs a stretch, up to an instant at the most. */
export type Stretch = (until: number) => RunExit;

/** Takes the processor to the end of its course, or until it stops for good. */
export function drive(cpu: Cpu, { steps, events }: Course, stretch: Stretch): RunExit {
  let next = 0;
  const happen = (): void => {
    if (events[next].isNmi) cpu.raiseNmi();
    else cpu.setInterruptLine(true);
    next += 1;
  };
  for (;;) {
    while (next < events.length && events[next].at <= cpu.instant) happen();
    if (cpu.instant >= steps) return 'until';
    const exit = stretch(next < events.length ? Math.min(events[next].at, steps) : steps);
    if (exit === 'halted' && next < events.length) happen();
    else if (exit !== 'until') return exit;
  }
}

/** As fast as it goes. */
export function atOnce(cpu: Cpu, course: Course): void {
  drive(cpu, course, (until) => cpu.run(until));
}

/** With no translation and no decoded code kept from one step to the next. */
export function withoutCaches(cpu: Cpu, course: Course): void {
  drive(cpu, course, () => {
    cpu.core.mmu.flush();
    cpu.dropCode();
    return cpu.run(cpu.instant + 1);
  });
}

/** Saved and restored at some instants; what is saved passes for a state that a processor can have. */
export function withRestores(cpu: Cpu, course: Course, choices: Choices): void {
  drive(cpu, course, (until) => {
    cpu.restoreForeign(cpu.save());
    return cpu.run(Math.min(until, cpu.instant + 1 + choices.below(course.steps)));
  });
}

/** Under the eyes of a debugger: breakpoints, and pages that are watched. */
export function underObservation(cpu: Cpu, course: Course, choices: Choices): void {
  const breakpoints = new Set<number>();
  for (let i = 0; i < 40; i++) breakpoints.add(CODE + choices.below(CODE_END - CODE));
  const pages = new Set<number>();
  for (let i = choices.below(4); i >= 0; i--) pages.add(choices.below(RAM_BYTES >> 12));
  const watch: AccessWatch = { pages, hit: () => undefined };
  cpu.breakpoints = breakpoints;
  cpu.accessWatch = watch;
  let skipsBreakpoint = false;
  drive(cpu, course, (until) => {
    const exit = cpu.run(until, skipsBreakpoint);
    skipsBreakpoint = exit === 'breakpoint';
    return skipsBreakpoint ? 'until' : exit;
  });
  cpu.accessWatch = null;
  cpu.breakpoints = new Set();
}
