/**
 * Recipes: how the trace of a folder in traces/ is recorded, in its recipe.json. A recipe gives the same
 * trace each time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addMachineOptions, type MachineOptions } from '../../../src/cli/machine-options.js';
import type { MachineInput } from '../../../src/machine/input.js';

/** The root of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TRACES = `${ROOT}traces/`;

/** An input beside those of the clock, injected where the guest comes to a place. */
export interface PlacedInput {
  readonly input: MachineInput;
  /** Before the instruction there: see `addressOf`. */
  readonly before: string;
  /** At which of the guest's visits, counted from the input before this one. 1 where absent. */
  readonly visit?: number;
}

/** A line of the README's table: what happens at a place. */
export interface StoryRow {
  /**
   * `input`: where the recipe's last input came, or the trace's where the recipe has none. Else a place; the row is about its last visit before
   * the next row's, for rows before the one of the input, and about its first visit from the last row's on,
   * for rows behind it.
   */
  readonly at: string;
  readonly text: string;
}

export interface Recipe {
  /** The heading of a README that is written anew. */
  readonly title: string;
  /** Path of the image from the root. */
  readonly image: string;
  /** As on the command line of `holdoff record`. */
  readonly options: readonly string[];
  readonly inputs: readonly PlacedInput[];
  readonly story: readonly StoryRow[];
}

/** The folders of traces/ by name. */
export function traceNames(): string[] {
  const entries = readdirSync(TRACES, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** The path of a file in a folder of traces/. */
export function tracePath(name: string, file: 'recipe.json' | 'race.trace' | 'README.md'): string {
  return `${TRACES}${name}/${file}`;
}

/** Our own files: a mistake in one shows when its trace is recorded. */
export function readRecipe(name: string): Recipe {
  return JSON.parse(readFileSync(tracePath(name, 'recipe.json'), 'utf8')) as Recipe;
}

/** Machine options as the command line takes them, defaults included. */
export function machineOptions(words: readonly string[]): MachineOptions {
  const command = addMachineOptions(new Command('record')).exitOverride();
  return command.parse(words, { from: 'user' }).opts<MachineOptions>();
}
