/** `monitor COMMAND`: finds the command in the target's table; `help` is derived from the table. */
import { UserError } from '../../machine/user-error.js';
import type { MonitorCommand } from '../monitor/command.js';
import type { Handlers } from './handler.js';
import { UNKNOWN, type Work } from './reply.js';

export const MONITOR_HANDLERS: Pick<Handlers, 'monitor'> = {
  monitor: ({ line }, { target }) => {
    if (target.monitor === undefined) return UNKNOWN;
    return { kind: 'work', work: runMonitor(target.monitor, line) };
  },
};

/** Runs a line and returns what to print. What the user got wrong is printed too, and not thrown. */
function* runMonitor(commands: readonly MonitorCommand[], line: string): Work {
  const [name = 'help', ...args] = line
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  try {
    if (name === 'help') return help(commands, args);
    const result = find(commands, name).run(args);
    return typeof result === 'string' ? result : yield* result;
  } catch (error) {
    const isStrict = commands.some((each) => each.name === name && each.isStrict === true);
    if (error instanceof UserError && !isStrict) return error.message;
    throw error;
  }
}

function find(commands: readonly MonitorCommand[], name: string): MonitorCommand {
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    throw new UserError(`monitor ${name}: no such command; try "monitor help"`);
  }
  return command;
}

function help(commands: readonly MonitorCommand[], args: readonly string[]): string {
  if (args.length > 0) {
    const { usage, summary, details } = find(commands, args[0]);
    return [`monitor ${usage}`, `  ${summary}`, ...details.map((line) => `  ${line}`)].join('\n');
  }
  const rows = commands.map(({ usage, summary }) => [usage, summary] as const);
  const all = [['help [COMMAND]', 'this list, or all about one command'] as const, ...rows];
  const width = Math.max(...all.map(([usage]) => usage.length));
  return all.map(([usage, summary]) => `monitor ${usage.padEnd(width)}  ${summary}`).join('\n');
}
