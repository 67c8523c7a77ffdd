/** `holdoff explore --pairs` on a guest that fails only where two events come: guest/pairs. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasBinutils, hasMake, make } from '../guest/toolchain.js';
import { ROOT } from '../traces/support/recipe.js';
import { jsonOf } from './support/command.js';

interface Pair {
  readonly instant: number;
  readonly symbol: string;
  readonly mark: string;
  readonly explainedBy: string | null;
  readonly placed: readonly { readonly event: string; readonly instant: number }[];
}

interface Found {
  readonly totals: Readonly<Record<'pairs' | 'bad' | 'unexplained' | 'runs', number>> & {
    readonly pruned: Readonly<Record<string, number>>;
  };
  readonly failures: readonly { readonly takesBoth: boolean }[];
  readonly firsts: readonly {
    readonly symbol: string;
    readonly instant: number;
    readonly alone: string;
    readonly pairs: readonly Pair[];
  }[];
}

/** From race_begin to behind race_end. */
const RANGE = ['--around', 'race_begin', '--radius', '9', '--within', '14'];

function explored(image: string): Promise<Found> {
  const verdict = ['--bad-exit', '!=99'];
  const words = ['explore', `guest/pairs/${image}`, '--nmi', '--pairs', ...RANGE, ...verdict];
  return jsonOf<Found>([...words, '--memory', '4M', '--workers', '1']);
}

describe('an NMI within the handler of an NMI', () => {
  test('fails where the handler keeps EAX in one place, from its entry to where it takes EAX back', async () => {
    const { firsts, failures, totals } = await explored('nested-nmi-wrong.elf');
    expect(firsts.map(({ alone }) => alone)).not.toContain('bad');
    expect(failures.map(({ takesBoth }) => takesBoth)).toEqual([true]);
    const kept = firsts.filter(({ symbol }) => /^race_begin/.test(symbol) || symbol === 'race_end');
    expect(kept.length).toBeGreaterThan(6);
    for (const first of firsts) {
      const bad = first.pairs.filter(({ mark }) => mark === 'bad');
      expect(bad.every(({ explainedBy }) => explainedBy === null)).toBe(true);
      // Where EAX matters, and nowhere else.
      expect(bad.length > 0, first.symbol).toBe(kept.includes(first));
      if (bad.length === 0) continue;
      expect(bad[0]).toMatchObject({ instant: first.instant + 1, symbol: 'nmi' });
      expect(bad.at(-1)).toMatchObject({ symbol: 'nmi_restore' });
      // The IRET of the breakpoint lets all of them in at one boundary: one run.
      expect(new Set(bad.map(({ placed }) => placed[1].instant)).size).toBe(1);
    }
    expect(totals.unexplained).toBe(totals.bad);
    expect(totals.pruned['second held']).toBeGreaterThan(totals.bad / 2);
    expect(totals.runs).toBeLessThan(totals.pairs);
  });

  test('does no harm where it is kept on the stack', async () => {
    const { totals } = await explored('nested-nmi-right.elf');
    expect(totals.pairs).toBeGreaterThan(200);
    expect(totals.bad).toBe(0);
  });
});

test.skipIf(!hasBinutils || !hasMake)(
  'make gives the committed images, byte for byte (needs make, and as and ld of binutils 2.40)',
  () => {
    const names = ['nested-nmi-wrong.elf', 'nested-nmi-right.elf'];
    const folder = `${ROOT}guest/pairs`;
    const built = make(folder, names);
    const differing = names.filter(
      (name, at) => !built[at].equals(readFileSync(`${folder}/${name}`)),
    );
    expect(differing).toEqual([]);
  },
);
