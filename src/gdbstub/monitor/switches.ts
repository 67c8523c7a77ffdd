/** `monitor` commands that set how gdb sees the target: irq-step, phys, exceptions, calls; and stats. */
import { UserError } from '../../machine/user-error.js';
import { formatInstant } from '../../replay/instant.js';
import type { MonitorCommand } from './command.js';
import type { MonitorContext, TargetSwitches } from './context.js';

type Switch = Exclude<keyof TargetSwitches, 'aim'>;

export function switchCommands({ timeline, switches }: MonitorContext): MonitorCommand[] {
  const onOff = (
    name: string,
    summary: string,
    details: readonly string[],
    key: Switch,
    isInverse = false,
  ): MonitorCommand => ({
    name,
    usage: `${name} on | off`,
    summary,
    details,
    run: (args) => {
      const word = args.at(0);
      if (args.length > 1 || (word !== undefined && word !== 'on' && word !== 'off')) {
        throw new UserError(`monitor ${name}: say on or off`);
      }
      if (word !== undefined) switches[key] = (word === 'on') !== isInverse;
      return `${name} is ${switches[key] !== isInverse ? 'on' : 'off'}`;
    },
  });
  return [
    onOff(
      'irq-step',
      'whether stepi goes into the handlers of interrupts',
      [
        'on, as at first: the delivery is a step of its own, and its handler is stepped through.',
        'off: a handler counts to the instruction that it came before, in both directions.',
      ],
      'skipsInterrupts',
      true,
    ),
    onOff(
      'phys',
      'whether memory is addressed physically',
      ['off, as at first: addresses are linear. Breakpoints are linear always.'],
      'isPhysical',
    ),
    onOff(
      'exceptions',
      'whether exceptions stop as signals',
      [
        'SIGSEGV, SIGILL, SIGFPE, SIGBUS or SIGTRAP, by vector. "handle" chooses among them.',
        'off, as at first: a guest with demand paging would stop all the time.',
      ],
      'reportsExceptions',
    ),
    onOff(
      'calls',
      'whether VMI calls stop as signals',
      [
        'SIGUSR1, with the call served; "monitor events" names it. Calls that never trap stop, too.',
        'off, as at first.',
      ],
      'reportsCalls',
    ),
    {
      name: 'stats',
      usage: 'stats',
      summary: 'how long the past is, and what is held to move in it',
      details: [],
      run: () => {
        const { checkpoints, recordedEnd } = timeline;
        const pages = checkpoints.reduce((sum, each) => sum + each.pages, 0);
        return [
          `${formatInstant(timeline.instant)} of ${formatInstant(recordedEnd)}`,
          `${timeline.machine.cpu.retired} instructions retired`,
          `${timeline.log.length} events recorded`,
          `${checkpoints.length} checkpoints with ${pages} pages, ${(pages / 256).toFixed(1)} MiB`,
        ].join('\n');
      },
    },
  ];
}
