import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const tsx = `file://${createRequire(import.meta.url).resolve('tsx')}`;
const module = new URL('../../src/cli/helper-threads.ts', import.meta.url).href;
const script = `
  import { readdirSync } from 'node:fs';
  import { getPriority } from 'node:os';
  import { lowerHelperThreads } from '${module}';
  lowerHelperThreads();
  const others = readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== process.pid);
  console.log(JSON.stringify([getPriority(), others.map(getPriority)]));
`;

test.runIf(process.platform === 'linux')(
  'the threads on which V8 compiles give way to the one that runs the guest',
  () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', tsx, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const [main, others] = JSON.parse(stdout) as [number, number[]];
    // V8 has four of them unless told otherwise.
    expect(others.filter((priority) => priority > main).length).toBeGreaterThanOrEqual(4);
  },
);
