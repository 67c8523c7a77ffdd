import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { holdoff } from './holdoff.js';

test('the demo catches the race, replays it, and shows the window from STI to user mode', async () => {
  const { status, stdout, stderr } = await holdoff(['demo']);
  expect(status, stderr).toBe(0);
  const text = stdout.toString();
  const path = /^trace {3}(\S+race\.trace): /m.exec(text)?.[1];
  expect(path !== undefined && existsSync(path)).toBe(true);
  rmSync(dirname(path!), { recursive: true });

  expect(text).toMatch(/seed \d+: LOST WORK: task [AB] entered user mode with need_resched set/);
  expect(text).toMatch(/^replay {2}[\d,]+ steps, the same digest: [\da-f]{32}$/m);
  // The steps of the window, each with its CPL, IF and shadow, in the order of time.
  const steps = [
    /0 {3}0 {2}- .* testl .*<need_resched> +<- the exit tests: no work$/,
    /0 {3}0 {2}- .* sti_sysexit_sti +sti/,
    /0 {3}1 {2}STI .* nop/,
    /0 {3}1 {2}- .* IRQ 0 is taken: vector 0x20 +<- between STI and SYSEXIT$/,
    /0 {3}0 {2}- .* irq0_entry +push/,
    /0 {3}0 {2}- .* set_need_resched .* <- need_resched = 1$/,
    /0 {3}0 {2}- .* ret_from_intr .* <- a kernel frame: no test$/,
    /0 {3}1 {2}- .* sti_sysexit_sysexit +sysexit$/,
    /3 {3}1 {2}- .* <- user mode with work pending$/,
  ];
  const lines = text.split('\n');
  let at = -1;
  for (const step of steps) {
    at = lines.findIndex((line, place) => place > at && /^ *@\d+ /.test(line) && step.test(line));
    expect(at, `${step.source} in\n${text}`).toBeGreaterThanOrEqual(0);
  }
});
