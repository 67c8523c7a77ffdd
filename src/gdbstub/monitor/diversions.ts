/** `monitor` commands about diversions: inject, diversion. */
import type { MachineInput } from '../../machine/input.js';
import { UserError } from '../../machine/user-error.js';
import { formatInstant } from '../../replay/instant.js';
import type { MonitorCommand } from './command.js';
import type { MonitorContext } from './context.js';

/** Lines that are no device's: timers, and those that are free. */
const NOT_INJECTED = new Set([1, 2, 4]);

export function diversionCommands(context: MonitorContext): MonitorCommand[] {
  return [
    {
      name: 'inject',
      usage: 'inject irq N | nmi',
      summary: 'has an interrupt line rise here, in a diversion',
      details: [
        '0 is the timer, 8 the RTC. Going backward, or "monitor seek", ends the diversion.',
      ],
      run: (args) => inject(context, args),
    },
    {
      name: 'diversion',
      usage: 'diversion [save FILE]',
      summary: 'whether this is a diversion; or keeps it as a trace of its own',
      details: [
        'FILE is made in the folder that holdoff was started in, and must not exist.',
        'Where gdb wrote to registers or memory the trace starts behind the last such change.',
      ],
      run: (args) => diversion(context, args),
    },
  ];
}

function inject(
  { timeline, noteDiversion, status }: MonitorContext,
  args: readonly string[],
): string {
  const input = parseInput(args);
  const isNew = !timeline.isDiverted;
  timeline.diverge().session.inject(input);
  if (isNew) noteDiversion();
  return status();
}

function parseInput(args: readonly string[]): MachineInput {
  if (args.length === 1 && args[0] === 'nmi') return { kind: 'nmi' };
  const [kind, number = ''] = args;
  const line = /^\d+$/.test(number) ? Number(number) : -1;
  if (args.length !== 2 || kind !== 'irq' || line < 0 || line > 15) {
    throw new UserError('monitor inject: say "irq" and a line from 0 to 15, or "nmi"');
  }
  if (NOT_INJECTED.has(line)) {
    throw new UserError(
      `monitor inject: line ${line} belongs to a device, which drives it by itself`,
    );
  }
  return { kind: 'irq', line };
}

function diversion({ timeline, saveTrace }: MonitorContext, args: readonly string[]): string {
  const { diversion: present } = timeline;
  if (present === null) {
    if (args.length === 0) return 'this is the recorded past; "monitor inject" leaves it';
    throw new UserError('monitor diversion save: this is no diversion');
  }
  if (args.length === 0) return `a diversion since ${formatInstant(present.start)}`;
  const [verb, name] = args;
  if (verb !== 'save' || args.length !== 2) {
    throw new UserError('monitor diversion: say "save" and a file name');
  }
  if (saveTrace === null) throw new UserError('monitor diversion save: nothing can be kept here');
  return saveTrace(name, present.recording());
}
