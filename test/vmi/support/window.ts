/** guest/window on bare hardware and under the hypervisor, watched at every entry to the hypervisor. */
import { readFileSync } from 'node:fs';
import * as L from '../../../src/cpu/state-layout.js';
import { loadImage } from '../../../src/machine/loaders/image.js';
import { Machine } from '../../../src/machine/machine.js';
import type { SymbolTable } from '../../../src/machine/symbols.js';
import { RandomClock } from '../../../src/replay/clock/random.js';
import { Session } from '../../../src/replay/session.js';
import type { Hypervisor } from '../../../src/vmi/hypervisor.js';
import { installInline } from '../../../src/vmi/install.js';
import type { IretScheme } from '../../../src/vmi/iret-stubs.js';
import { installRom } from '../../../src/vmi/rom/install-rom.js';
import { isInRegion } from '../../../src/vmi/stubs.js';
import type { ViolationKind } from '../../../src/vmi/violations.js';
import { ROM_IMAGE } from './rom-machine.js';

/** window-short.elf takes every path within 5 million instructions. */
export const SHORT = {
  name: 'window-short.elf',
  bytes: readFileSync(new URL('../../../guest/window/window-short.elf', import.meta.url)),
};

/** The ways in which guest and hypervisor find each other. */
export const WAYS = ['inline', 'rom'] as const;
export type Way = (typeof WAYS)[number];

export interface WindowMachine {
  readonly machine: Machine;
  /** Null on bare hardware. */
  readonly hypervisor: Hypervisor | null;
  readonly symbols: SymbolTable;
}

/**
 * The guest loaded, at instant 0.
 * @param way null: on bare hardware.
 */
export function windowMachine(way: Way | null, scheme: IretScheme = 'rollforward'): WindowMachine {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const loaded = loadImage(machine, SHORT, {});
  const install = {
    inline: () => installInline(machine, SHORT, loaded, scheme),
    rom: () =>
      installRom(machine, ROM_IMAGE, scheme, (text) => {
        throw new Error(text);
      }),
  };
  const hypervisor = way === null ? null : install[way]();
  return { machine, hypervisor, symbols: loaded.symbols };
}

/** What came of a run. */
export interface SeedRun {
  /** The last line that the guest printed: DONE, or what it found wrong. */
  readonly lastLine: string;
  readonly violations: ReadonlySet<ViolationKind>;
}

export interface SeedOptions {
  readonly maxInstructions?: number;
  /** Looks at every boundary too, which is slow. */
  readonly isStepped?: boolean;
}

/** Runs the guest with a seed. @throws Error where a boundary shows what must not be. */
export function runSeed(
  way: Way,
  scheme: IretScheme,
  seed: number,
  options: SeedOptions = {},
): SeedRun {
  const { maxInstructions = Number.POSITIVE_INFINITY, isStepped = false } = options;
  const { machine, hypervisor, symbols } = windowMachine(way, scheme);
  const violations = new Set<ViolationKind>();
  hypervisor!.onViolation = ({ kind }) => {
    violations.add(kind);
  };
  let output = '';
  machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  const session = new Session(machine, new RandomClock(seed), { maxInstructions });
  const flags = symbols.address('need_resched')!;
  while (session.outcome === null) {
    session.advance(isStepped ? machine.cpu.instant + 1 : Number.POSITIVE_INFINITY);
    if (isStepped) checkBoundary(machine, hypervisor!, flags);
  }
  return { lastLine: output.trim().split('\n').at(-1) ?? '', violations };
}

/** No user mode with work pending or interrupts closed, and no interrupt that nobody will look at. */
function checkBoundary(machine: Machine, hypervisor: Hypervisor, flags: number): void {
  const { state, physical } = machine.cpu.core;
  const at = `@${machine.cpu.instant}`;
  if (state.cpl === 3) {
    if ((physical.read(flags, 2) & 0x101) !== 0)
      throw new Error(`user mode with work pending ${at}`);
    if (!hypervisor.interruptFlag) throw new Error(`user mode with virtual IF clear ${at}`);
  }
  const isForgotten = hypervisor.holdsInterrupt && hypervisor.interruptFlag;
  if (isForgotten && state.get(L.INTR) !== 0 && state.get(L.SHADOW) === L.SHADOW_NONE) {
    const eip = state.eip >>> 0;
    if (!isInRegion(hypervisor.region, eip)) throw new Error(`an interrupt is stranded ${at}`);
  }
}
