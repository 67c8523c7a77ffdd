/**
 * A whole small machine to debug: four instructions in a loop, whose state is a function of the
 * instant, so that it goes back as easily as forth.
 *
 *   1000  40              inc  eax
 *   1001  a3 00 20 00 00  mov  [2000], eax
 *   1006  90              nop
 *   1007  eb f7           jmp  1000
 */

import { littleEndian } from '../../src/gdbstub/bytes.js';
import { I386_LAYOUT, i386Register } from '../../src/gdbstub/i386-registers.js';
import type { MonitorCommand } from '../../src/gdbstub/monitor/command.js';
import { registerBytes } from '../../src/gdbstub/register-layout.js';
import type {
  DebugTarget,
  MemoryAccess,
  Motion,
  RegisterAccess,
  StopConditions,
  TargetStop,
  Watchpoint,
} from '../../src/gdbstub/target.js';

export const LOOP_CODE = Uint8Array.of(0x40, 0xa3, 0x00, 0x20, 0, 0, 0x90, 0xeb, 0xf7);
export const LOOP_START = 0x1000;
export const LOOP_COUNTER = 0x2000;
const EIPS = [0x1000, 0x1001, 0x1006, 0x1007] as const;
const EIP = i386Register('eip');
const EAX = i386Register('eax');
const INSTANT = i386Register('instant');

export class LoopMachine implements DebugTarget {
  readonly end: number;
  instant = 0;
  isDiverted = false;
  restarts = 0;
  /** Called between two slices of a motion. */
  onSlice: () => void = () => undefined;
  #notices: string[] = [];
  #code = LOOP_CODE.slice();
  #registers = new Map<number, number>();

  constructor(end: number) {
    this.end = end;
  }

  get eip(): number {
    return EIPS[this.instant % 4];
  }
  get eax(): number {
    return Math.floor(this.instant / 4) + (this.instant % 4 >= 1 ? 1 : 0);
  }
  /** The word at LOOP_COUNTER. */
  get counter(): number {
    return Math.floor(this.instant / 4) + (this.instant % 4 >= 2 ? 1 : 0);
  }

  readonly registers: Required<RegisterAccess> = {
    layout: I386_LAYOUT,
    read: (index) => {
      const value = { [EIP]: this.eip, [EAX]: this.eax, [INSTANT]: this.instant }[index] ?? 0;
      const register = I386_LAYOUT.registers[index];
      return littleEndian(this.#registers.get(index) ?? value, registerBytes(register));
    },
    write: (index, bytes) => {
      if (index === INSTANT) return 'the instant is not for setting';
      this.#divert();
      this.#registers.set(index, bytes[0]);
      return null;
    },
  };

  /** Readable: one page of code and one of data, apart. */
  readonly memory: Required<MemoryAccess> = {
    read: (linear, length) => {
      const bytes: number[] = [];
      for (let at = linear; at < linear + length; at++) {
        const byte = this.#byte(at);
        if (byte === null) break;
        bytes.push(byte);
      }
      return Uint8Array.from(bytes);
    },
    write: (linear, bytes) => {
      if (linear < LOOP_START || linear + bytes.length > LOOP_START + this.#code.length) {
        return 'not there';
      }
      this.#divert();
      this.#code.set(bytes, linear - LOOP_START);
      return null;
    },
  };

  readonly forward: Motion = {
    step: (stops) => this.#move(1, 1, stops),
    continue: (stops) => this.#move(1, Infinity, stops),
  };
  readonly backward: Motion = {
    step: (stops) => this.#move(-1, 1, stops),
    continue: (stops) => this.#move(-1, Infinity, stops),
  };
  readonly breakpoints = { accepts: (): boolean => true };
  readonly watchpoints = { accepts: ({ length }: Watchpoint): boolean => length <= 4096 };
  readonly status = (): string => `@${this.instant}`;
  readonly restart = (): void => {
    this.restarts += 1;
    this.instant = 0;
  };
  readonly takeNotices = (): string[] => this.#notices.splice(0);
  readonly monitor: readonly MonitorCommand[] = [
    {
      name: 'when',
      usage: 'when',
      summary: 'the present instant',
      details: ['Instants count steps.'],
      run: () => `@${this.instant}`,
    },
    {
      name: 'break-it',
      usage: 'break-it',
      summary: 'fails',
      details: [],
      run: (): string => {
        throw new Error('out of order');
      },
    },
  ];

  #byte(at: number): number | null {
    if (at >= LOOP_COUNTER && at < LOOP_COUNTER + 4) return littleEndian(this.counter, 4)[at & 3];
    const page = at >>> 12;
    if (page !== 1 && page !== 2) return null;
    return this.#code[at - LOOP_START] ?? 0;
  }

  #divert(): void {
    if (!this.isDiverted) this.#notices.push('this is a diversion');
    this.isDiverted = true;
  }

  /** A slice is a thousand steps. */
  *#move(delta: 1 | -1, limit: number, stops: StopConditions): Generator<undefined, TargetStop> {
    const isSingle = limit === 1;
    const isAtBreakpoint = (): boolean => {
      // At the end the instruction under EIP never runs, so the end it is.
      const isEnd = delta === 1 && this.instant === this.end;
      return !isSingle && !isEnd && stops.breakpoints.has(this.eip);
    };
    if (delta === 1 && isAtBreakpoint()) return this.#atBreakpoint();
    for (let steps = 0; steps < limit; steps++) {
      if (steps % 1000 === 999) {
        this.onSlice();
        yield undefined;
      }
      if (delta === 1 && this.instant === this.end) return { kind: 'end' };
      if (delta === -1 && this.instant === 0) return { kind: 'begin' };
      const store = delta === 1 ? this.instant % 4 === 1 : this.instant % 4 === 2;
      this.instant += delta;
      const hit = stops.watchpoints.find((watch) => store && covers(watch));
      if (hit !== undefined) {
        return { kind: 'watchpoint', address: hit.address, access: hit.access };
      }
      if (isAtBreakpoint()) return this.#atBreakpoint();
    }
    return { kind: 'step' };
  }

  #atBreakpoint(): TargetStop {
    return { kind: 'breakpoint', linear: this.eip };
  }
}

function covers({ address, length, access }: Watchpoint): boolean {
  return access !== 'read' && address < LOOP_COUNTER + 4 && address + length > LOOP_COUNTER;
}
