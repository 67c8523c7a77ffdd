import { expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { holdoff } from '../cli/holdoff.js';

test.each([
  ['the benchmark guest', 'bench/guest/bench.elf', 'virtual'],
  ['guest/window', 'guest/window/window.elf', 'random'],
])(
  '%s does the same under both engines, step by step',
  async (_, image, clock) => {
    const words = ['run', packagePath(image), '--clock', clock, '--engine', 'lockstep'];
    const { stderr } = await holdoff([...words, '--max-instructions', '2_000_000_000']);
    expect(stderr).toContain('both engines did the same');
  },
  1_800_000,
);
