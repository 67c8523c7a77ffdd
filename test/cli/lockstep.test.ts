import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { StateWords } from '../../src/cli/state-words.js';
import * as L from '../../src/cpu/state-layout.js';
import { bareGuest } from '../replay/bare-guest.js';
import { GUEST_ADDRESS, HELLO } from './guests.js';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-lockstep-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'hello.bin'), HELLO);
const lockstep = ['--engine', 'lockstep'];

test('both engines run an image alike, which is printed once and ends with its status', async () => {
  const words = ['run', 'hello.bin', '--address', GUEST_ADDRESS, '--memory', '2M', ...lockstep];
  const { status, stdout, stderr } = await holdoff(words, '', folder);
  expect([status, stdout.toString()]).toEqual([99, 'hi\n']);
  expect(stderr).toContain('both engines did the same');
});

test('both engines replay the race of guest/window alike', async () => {
  const trace = packagePath('traces/sti-sysexit-padding/race.trace');
  const { stdout, stderr } = await holdoff(['replay', trace, ...lockstep]);
  expect(stderr).toContain('both engines did the same');
  expect(stdout.equals((await holdoff(['replay', trace])).stdout)).toBe(true);
});

test('the host’s clock is refused in one line', async () => {
  const words = ['run', 'hello.bin', '--clock', 'host', ...lockstep];
  const { status, stderr } = await holdoff(words, '', folder);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^holdoff: two engines cannot share the host clock; give .*\n$/);
});

test('two states are shown register by register, and where else they differ', () => {
  const [a, b] = [bareGuest(0xf4), bareGuest(0xf4)];
  b.cpu.core.state.set(L.EDX, 0x12345678);
  b.cpu.core.state.set(L.CR2, 0x1000);
  const lines = new StateWords(a).compare(new StateWords(b), ['one', 'other']);
  expect(lines).toContain('EAX      00000000');
  expect(lines).toContain('EDX      one 00000000, other 12345678');
  expect(lines).toContain('CR2      one 00000000, other 00001000');
  expect(lines).toHaveLength(11);
});
