/** What `holdoff bisect --json` prints. */
import type { Bisection } from '../search/bisect.js';
import type { ExecutedInstruction } from '../search/first-difference.js';
import { windowBounds } from './bisect-view.js';
import { symbolText } from './disassembly.js';
import { findingJson } from './explore-json.js';
import { type ExploreNames, instructionText } from './explore-view.js';

/** The bisection as an object. */
export function bisectionJson(
  bisection: Bisection,
  names: ExploreNames,
  traces: { readonly good: string; readonly bad: string } | null,
): object {
  const { finding, needed, candidates, common, goodAt, partsAt, difference, runs } = bisection;
  const { symbols } = names;
  const instruction = ({ boundary, before, after }: ExecutedInstruction): object => ({
    instant: boundary.at,
    eip: boundary.linear,
    symbol: symbolText(symbols, boundary.linear),
    instruction: instructionText(boundary, symbols),
    before,
    after,
  });
  return {
    ...findingJson(finding, names),
    candidates,
    common,
    runs,
    isOneMinimal: true,
    events: needed.map(({ event, window }) => ({
      instant: event.at,
      ...event.input,
      window: {
        ...windowBounds(window),
        isOpenBefore: window.isOpenBefore,
        isOpenAfter: window.isOpenAfter,
      },
    })),
    goodAt,
    partsAt,
    difference:
      difference === null
        ? null
        : { good: instruction(difference.good), bad: instruction(difference.bad) },
    differenceIn: difference === null ? null : bisection.differenceIn,
    traces,
  };
}
