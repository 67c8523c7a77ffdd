/**
 * The signals, by gdb's own numbers, that stand for deliveries. Those for interrupts are signals that
 * gdb passes over unless it is told not to, so that nobody is stopped who did not ask. Those for
 * exceptions would stop, so they are silent until the user turns them on.
 */

import { LINE_APIC_TIMER } from '../machine/input.js';
import type { Delivery } from '../replay/motion.js';

const SIGILL = 4;
const SIGTRAP = 5;
const SIGFPE = 8;
const SIGBUS = 10;
const SIGSEGV = 11;
const SIGALRM = 14;
const SIGURG = 16;
const SIGIO = 23;

export const INTERRUPT_SIGNALS: readonly number[] = [SIGALRM, SIGIO, SIGURG];
/** SIGUSR1, which stands for a VMI call, and would stop, too. */
export const CALL_SIGNAL = 30;
export const EXCEPTION_SIGNALS: readonly number[] = [SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGSEGV];

const LINE_PIT = 0;
const LINE_RTC = 8;
const TIMERS: ReadonlySet<number> = new Set([LINE_PIT, LINE_RTC, LINE_APIC_TIMER]);

/** By vector: #DE, #DB, #BP, #OF, #UD, #NM, #DF, #MF, #AC, #MC, #XM; of the others SIGSEGV. */
const BY_VECTOR: Readonly<Partial<Record<number, number>>> = {
  0: SIGFPE,
  1: SIGTRAP,
  3: SIGTRAP,
  4: SIGFPE,
  6: SIGILL,
  7: SIGFPE,
  8: SIGBUS,
  16: SIGFPE,
  17: SIGBUS,
  18: SIGBUS,
  19: SIGFPE,
};

/** Timers are SIGALRM, other interrupts SIGIO, NMI is SIGURG, an exception what a process would get. */
export function signalOf({ kind, vector, line }: Delivery): number {
  if (kind === 'interrupt') return line !== null && TIMERS.has(line) ? SIGALRM : SIGIO;
  if (kind === 'nmi') return SIGURG;
  return BY_VECTOR[vector] ?? SIGSEGV;
}
