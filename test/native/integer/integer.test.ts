/**
 * The integer instructions against the processor that the tests run on: a program that folds what each
 * of them does with generated operands into checksums, run natively and in our own machine.
 */
import { expect, test } from 'vitest';
import { missingTool, runOnBoth } from './programs.js';

const BLOCKS = 4;
const missing = missingTool();

/** The operands at which a line of checksums comes to differ, and what became of them. */
async function explain(line: number): Promise<string> {
  const { native, ours } = await runOnBoth({
    row: Math.floor(line / BLOCKS),
    block: line % BLOCKS,
  });
  const at = native.findIndex((text, i) => text !== ours[i]);
  const operands = native.slice(0, at).findLast((text) => text.startsWith('in '));
  return [
    native.at(-1),
    'registers: EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS, exception + 1, error code, EIP from the code',
    operands,
    `native: ${native[at]}`,
    `ours:   ${ours[at]}`,
  ].join('\n');
}

test.skipIf(missing !== null)(
  `every integer instruction does what it does natively (needs ${missing ?? 'nothing more'})`,
  async () => {
    const { native, ours } = await runOnBoth();
    const at = native.findIndex((line, i) => line !== ours[i]);
    if (at >= 0) expect.fail(await explain(at));
    expect(ours.length).toBe(native.length);
    expect(native.length).toBeGreaterThan(4000);
  },
);
