#!/usr/bin/env node
/** The executable: runs a verb, prints what went wrong, sets the exit status. */
import { describeError } from './errors.js';
import { createProgram } from './program.js';

const isDebugging = process.env['HOLDOFF_DEBUG'] === '1';

function fail(error: unknown): void {
  const { status, message } = describeError(error, isDebugging);
  process.stderr.write(message);
  process.exitCode = status;
}

process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

try {
  const program = createProgram((status) => {
    process.exitCode = status;
  });
  await program.parseAsync();
} catch (error) {
  fail(error);
}
