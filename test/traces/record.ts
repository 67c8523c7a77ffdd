/**
 * `npm run traces`: records every folder of traces/ anew from its recipe, and renews the instants in its
 * README. A trace that would be the same is left as it is. Names of folders as arguments: those alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { readTrace } from '../../src/replay/trace-format.js';
import { readRecipe, traceNames, tracePath } from './support/recipe.js';
import { contentOf, recordRecipe } from './support/recording.js';
import { refreshReadme, storyOf } from './support/story.js';

function readOr<T>(path: string, read: (bytes: Buffer) => T): T | null {
  return existsSync(path) ? read(readFileSync(path)) : null;
}

function renew(name: string): void {
  const recipe = readRecipe(name);
  const bytes = recordRecipe(recipe);
  const trace = readTrace(bytes);
  const path = tracePath(name, 'race.trace');
  const old = readOr(path, (each) => contentOf(readTrace(each)));
  const isSame = isDeepStrictEqual(old, contentOf(trace));
  if (!isSame) writeFileSync(path, bytes);
  const readmePath = tracePath(name, 'README.md');
  const readme = readOr(readmePath, String);
  const renewed = refreshReadme(readme, recipe, storyOf(recipe, trace, name));
  if (renewed !== readme) writeFileSync(readmePath, renewed);
  const what = isSame ? 'as before' : `recorded, ${bytes.length} bytes`;
  process.stdout.write(`${name}: ${what}${renewed === readme ? '' : ', README renewed'}\n`);
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : traceNames()) renew(name);
