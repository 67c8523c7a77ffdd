/**
 * The packet that tells gdb where and why the target stopped. GDB manual, "Stop Reply Packets".
 */
import { fromLittleEndian, hexByte, hexNumber, toHex } from './bytes.js';
import type { StopPoints } from './stop-points.js';
import type { DebugTarget, TargetStop, WatchAccess } from './target.js';

// Signals by gdb's own numbers.
const NO_SIGNAL = 0;
const SIGINT = 0x02;
const SIGTRAP = 0x05;
const SIGABRT = 0x06;

const WATCH_KEYS: Readonly<Record<WatchAccess, string>> = {
  write: 'watch',
  read: 'rwatch',
  access: 'awatch',
};

/**
 * The `T` packet of a stop, with the registers that gdb would ask for at once if they weren't there.
 */
export function stopReply(target: DebugTarget, stop: TargetStop, points: StopPoints): string {
  const registers = target.registers.layout.expedited
    .map((index) => `${hexByte(index)}:${toHex(target.registers.read(index))};`)
    .join('');
  return `T${hexByte(signal(stop))}${registers}thread:1;${reason(target, stop, points)}`;
}

/** The program counter as the register holds it, unsigned. */
export function programCounter(target: DebugTarget): number {
  const { layout } = target.registers;
  return fromLittleEndian(target.registers.read(layout.programCounter));
}

function signal(stop: TargetStop): number {
  if (stop.kind === 'interrupted') return SIGINT;
  if (stop.kind === 'signal') return stop.signal;
  if (stop.kind === 'arrived') return NO_SIGNAL;
  return stop.kind === 'failed' ? SIGABRT : SIGTRAP;
}

function reason(target: DebugTarget, stop: TargetStop, points: StopPoints): string {
  switch (stop.kind) {
    case 'breakpoint':
      return breakpointReason(target, stop.linear, points);
    case 'watchpoint':
      return `${WATCH_KEYS[stop.access]}:${hexNumber(stop.address)};`;
    case 'begin':
    case 'end':
      return `replaylog:${stop.kind};`;
    case 'step':
    case 'signal':
    case 'arrived':
    case 'interrupted':
    case 'failed':
      return '';
  }
}

/**
 * gdb looks for its breakpoint at EIP and silently goes on where it finds none. With a code segment
 * whose base is not zero EIP is not the linear address, and the stop is reported without a reason.
 */
function breakpointReason(target: DebugTarget, linear: number, points: StopPoints): string {
  if (programCounter(target) !== linear) return '';
  if (points.software.has(linear)) return 'swbreak:;';
  return points.hardware.has(linear) ? 'hwbreak:;' : '';
}
