/** Calls of the ROM with random numbers, registers, pointers and stacks, on a guest that does not care. */
import { setNullSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { LINE_ALARM } from '../../../src/machine/input.js';
import { Random } from '../../../src/replay/random.js';
import { checkHeld } from './held.js';
import { RomCaller, SCRATCH, STACK, UNMAPPED } from './rom-caller.js';

const ROM = 0xc00c8000;
const STEPS = 60;
/** Calls after which the guest is put back to where it was ready. */
const CALLS_A_GUEST = 40;

/** What became of the cases. */
export interface FuzzResult {
  readonly cases: number;
  /** How many ended with the guest running, halted, shut down, or reset. */
  readonly endings: Readonly<Record<string, number>>;
  readonly events: number;
  readonly reports: readonly string[];
}

/** @throws Error where the hypervisor lets the guest out, or the host program fails. */
export function fuzzRom(seed: number, cases: number): FuzzResult {
  const random = new Random(seed);
  const endings: Record<string, number> = {};
  const reports = new Set<string>();
  let events = 0;
  let guest = new RomCaller({ apic: seed % 2 === 0 });
  for (let done = 0; done < cases; done++) {
    const ending = runCase(guest, random);
    events += guest.shims.length;
    guest.shims.length = 0;
    endings[ending] = (endings[ending] ?? 0) + 1;
    for (const report of guest.reports) reports.add(report);
    checkHeld(guest.machine, `seed ${seed}, case ${done}`);
    // A guest that is shut down or reset is over.
    const isOver = ending !== 'until' && ending !== 'halted';
    if (isOver || done % CALLS_A_GUEST === 0) guest = new RomCaller({ apic: seed % 2 === 0 });
  }
  return { cases, endings, events, reports: [...reports] };
}

/** @returns how `Machine.run` ended. */
function runCase(guest: RomCaller, random: Random): string {
  const { state, machine } = guest;
  const { core } = machine.cpu;
  state.set(L.HALTED, 0);
  for (let register = 0; register < 8; register++) {
    state.i32[(L.EAX >> 2) + register] = word(guest, random);
  }
  state.esp = stack(random);
  for (const segment of [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
    if (random.below(4) === 0) setNullSegment(core, segment);
  }
  state.eip = entry(guest, random) | 0;
  core.attention();
  guest.clocks.apic += random.below(1000);
  let exit: string = machine.run(machine.cpu.instant + random.below(8) + 1);
  if (exit !== 'until') return exit;
  const line = [5, 8, LINE_ALARM, LINE_ALARM + 1, -1, -1][random.below(6)];
  if (line >= 0) machine.inject({ kind: 'irq', line });
  if (random.below(8) === 0) machine.inject({ kind: 'nmi' });
  exit = machine.run(machine.cpu.instant + STEPS);
  if (random.below(16) === 0) machine.restore(machine.save());
  return exit;
}

/** Where the guest goes: mostly to a site, else to an entry or into the ROM anywhere. */
function entry(guest: RomCaller, random: Random): number {
  switch (random.below(8)) {
    case 0:
      return ROM + random.below(0x1000);
    case 1:
      return ROM + (random.below(2) === 0 ? 0x80 : 0x88);
    default: {
      const number = random.below(74);
      return guest.address(`site${number === 72 ? 73 : number}`);
    }
  }
}

/** A number that some call may take for a pointer, a selector, a page, an index or a flag. */
function word(guest: RomCaller, random: Random): number {
  switch (random.below(12)) {
    case 0:
      return random.next() | 0;
    case 1:
      return UNMAPPED | 0;
    case 2:
      return (SCRATCH + random.below(0x1000)) | 0;
    case 3:
      return (SCRATCH + 0xffd) | 0;
    case 4:
      return (ROM + random.below(0x2000)) | 0;
    case 5:
      return -1 - random.below(16);
    case 6:
      return guest.address(['gdt', 'idt', 'tss', 'page_table', 'gdt_pointer'][random.below(5)]) | 0;
    case 7:
      return 1 << random.below(32);
    case 8:
      return [0x60, 0x61, 0x68, 0x69, 0x73, 0x7b, 0x80, 0x88][random.below(8)];
    default:
      return random.below(0x110);
  }
}

function stack(random: Random): number {
  switch (random.below(8)) {
    case 0:
      return random.next() | 0;
    case 1:
      return UNMAPPED | 0;
    case 2:
      return (SCRATCH + 0x1000 - random.below(16)) | 0;
    case 3:
      return (ROM + random.below(0x2000)) | 0;
    default:
      return (STACK - 4 * random.below(8)) | 0;
  }
}
