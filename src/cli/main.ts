#!/usr/bin/env node
/** The executable: runs the command line, and sees to it that no error ends in a stack trace. */
import { describeError } from './errors.js';
import { lowerHelperThreads } from './helper-threads.js';
import { runCommandLine } from './program.js';

const isDebugging = process.env['HOLDOFF_DEBUG'] === '1';

process.on('uncaughtException', (error) => {
  const { status, message } = describeError(error, isDebugging);
  process.stderr.write(message);
  process.exit(status);
});

// A reader that has gone away is no error: `holdoff info x.trace | head -1`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

lowerHelperThreads();

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  },
  isDebugging,
);
