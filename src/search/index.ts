/**
 * Searching the space of interrupt timings. In reading order:
 *
 * - verdict, expression, verdict-watch: what makes a run bad, and how it is seen
 * - schedule, schedule-source: which inputs come when, and how a machine gets them
 * - trial, scheduled-run: one run, from any state or from reset
 * - base-run, twin, placement-classes: which placements of an input come to the same run
 * - placement-runner, exploration: a run for each of the others, and the map of it all
 * - second-placements, pair-exploration: the same for two inputs
 * - minimise, event-window, first-difference, bisect, shrink: from a bad run to what makes it bad
 * - ordering-points, until-bad: random runs until one is bad
 */
export { BaseRun } from './base-run.js';
export type { Boundary } from './boundary.js';
export { type Exploration, type PlacementRow, summariseExploration } from './exploration.js';
export { compileExpression, symbolNames } from './expression.js';
export type { Guest, GuestMaker } from './guest.js';
export { TextMistake } from './mistake.js';
export { type PlacementClass, placementClasses } from './placement-classes.js';
export { PlacementRunner } from './placement-runner.js';
export { RecordedPast, type ScheduledInput } from './schedule.js';
export { FEEDS, type Feed } from './schedule-source.js';
export { runFromReset, type ScheduledRun } from './scheduled-run.js';
export { searchBase } from './search-base.js';
export type { TrialResult } from './trial.js';
export { Twin } from './twin.js';
export { compileVerdicts, type VerdictSpec, verdictName } from './verdict.js';
export { visits } from './visits.js';
