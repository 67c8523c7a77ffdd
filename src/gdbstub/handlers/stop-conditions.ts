/** From what a client has inserted and asked for to what a motion stops at. */
import { type AgentWorld, evaluate } from '../agent/evaluate.js';
import { fromLittleEndian } from '../bytes.js';
import type { BreakpointExtras } from '../commands/command.js';
import type { DebugTarget, StopConditions } from '../target.js';
import type { SessionContext } from './handler.js';

/**
 * Commands of breakpoints print where time goes forward: on the way back a stretch is searched from its
 * beginning, and what is printed would come in no order that makes sense.
 */
export function stopConditions(
  context: SessionContext,
  direction: 'forward' | 'backward',
): StopConditions {
  const { stopPoints, target, settings } = context;
  const { passedSignals } = settings;
  const signals = (target.deliverySignals ?? []).filter(
    (signal) => passedSignals !== null && !passedSignals.has(signal),
  );
  const print = direction === 'forward' ? context.print : (): void => undefined;
  const world = agentWorld(target, print);
  return {
    breakpoints: stopPoints.breakpoints,
    watchpoints: stopPoints.watchpoints,
    signals: new Set(signals),
    ...(stopPoints.hasExtras
      ? { isWanted: (linear: number) => isWanted(stopPoints.at(linear), world) }
      : {}),
  };
}

/** Runs the commands of the breakpoints at a place, and says whether one of the others wants a stop. */
function isWanted(breakpoints: readonly BreakpointExtras[], world: AgentWorld): boolean {
  let isStop = false;
  for (const { conditions = [], commands = [] } of breakpoints) {
    // What can't be evaluated stops: gdb evaluates it again and tells the user why.
    const isMet =
      conditions.length === 0 ||
      conditions.some((code) => {
        const result = evaluate(code, world);
        return result.kind === 'error' || result.value !== 0n;
      });
    if (!isMet) continue;
    if (commands.length === 0) isStop = true;
    for (const code of commands) {
      const result = evaluate(code, world);
      if (result.kind === 'error') world.print(`holdoff: a command failed: ${result.message}\n`);
    }
  }
  return isStop;
}

function agentWorld({ registers, memory }: DebugTarget, print: (text: string) => void): AgentWorld {
  return {
    register: (index) => {
      if (index >= registers.layout.registers.length) return null;
      const bytes = registers.read(index);
      const low = BigInt(fromLittleEndian(bytes));
      return bytes.length <= 4 ? low : low | (BigInt(fromLittleEndian(bytes.subarray(4))) << 32n);
    },
    memory: (address, length) => memory.read(address, length),
    print,
  };
}
