/** Every folder of traces/ is what its recipe gives, replays, and has a README that agrees with it. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { setUp } from '../../src/cli/machine-setup.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Replayer } from '../../src/replay/replayer.js';
import { readTrace } from '../../src/replay/trace-format.js';
import { ROOT, readRecipe, traceNames, tracePath } from './support/recipe.js';
import { contentOf, recordRecipe } from './support/recording.js';
import { refreshReadme, storyOf } from './support/story.js';

const AGAIN = 'the guest or the state has changed: npm run traces';

describe.each(traceNames())('traces/%s', (name) => {
  const recipe = readRecipe(name);
  const trace = readTrace(readFileSync(tracePath(name, 'race.trace')));
  const readme = readFileSync(tracePath(name, 'README.md'), 'utf8');

  test('the trace replays to its end with equal digests', () => {
    expect(trace.isComplete).toBe(true);
    const { machine } = setUp(startFromTrace(trace, name));
    const events = [...trace.events];
    const replayer = new Replayer(machine, new ListCursor(events), trace.lastInstant);
    replayer.attach();
    expect(replayer.advance(Number.POSITIVE_INFINITY), AGAIN).toBe('end');
    expect(replayer.divergence, AGAIN).toBeNull();
    expect(replayer.outcome).toEqual(trace.end?.outcome);
  });

  test('its recipe gives this very trace, of the committed image', () => {
    expect(contentOf(readTrace(recordRecipe(recipe))), AGAIN).toEqual(contentOf(trace));
  });

  test('its README names the instants of this trace', () => {
    expect(refreshReadme(readme, recipe, storyOf(recipe, trace, name)), AGAIN).toBe(readme);
  });

  test('its README knows no other instant than those of its table', () => {
    const story = new Set(storyOf(recipe, trace, name).map(({ instant }) => `@${instant}`));
    const named = [...readme.matchAll(/@\d+/g)].map(([instant]) => instant);
    expect(named.filter((instant) => !story.has(instant))).toEqual([]);
  });

  test('links in its README lead somewhere', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]);
    const missing = links.filter((link) => !existsSync(`${ROOT}traces/${name}/${link}`));
    expect(missing).toEqual([]);
  });
});
