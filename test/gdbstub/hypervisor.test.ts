/** A guest under the hypervisor, as gdb sees it: names for the code that its sites call, and virtual IF. */
import { describe, expect, test } from 'vitest';
import { symbolFile } from '../../src/gdbstub/symbol-file.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { ElfFile } from '../../src/machine/loaders/elf.js';
import { elfSymbols } from '../../src/machine/loaders/elf-symbols.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Timeline } from '../../src/replay/timeline.js';
import { namedRegion, namedRom } from '../../src/vmi/region-symbols.js';
import { ROM_IMAGE } from '../vmi/support/rom-machine.js';
import { SHORT, WAYS, type Way, windowMachine } from '../vmi/support/window.js';
import { debug, hasGdb } from './real-gdb.js';

const CODE = {
  inline: namedRegion('rollforward'),
  rom: namedRom(ROM_IMAGE, 'rollforward', 0),
} as const;

function session(way: Way, commands: readonly string[]): Promise<string> {
  const { machine, symbols } = windowMachine(way);
  const timeline = Timeline.live(machine, new VirtualClock(), { maxInstructions: 100_000 });
  const code = CODE[way];
  const target = new TimelineTarget(timeline, {
    symbols: symbols.with(code.symbols),
    image: SHORT,
    library: { name: 'hypervisor.elf', bytes: symbolFile(code), address: code.first },
  });
  return debug(target, commands);
}

describe.skipIf(!hasGdb).each(WAYS)('gdb, --vmi %s (skipped without gdb)', (way) => {
  test('names the stubs in breakpoints and disassembly, without any file', async () => {
    const output = await session(way, ['break *&vmi_IRET', 'continue', 'x/i $pc', 'up']);
    expect(output).toMatch(
      /Breakpoint 1, 0x[0-9a-f]+ in vmi_IRET \(\) from target:\/hypervisor\.elf/,
    );
    expect(output).toMatch(/<vmi_IRET>:\tpop/);
  });

  test('tells by virtual IF whether an interrupt can come', async () => {
    const output = await session(way, [
      'break irq0_entry',
      'continue',
      'monitor why',
      'info threads',
      'monitor window 20',
    ]);
    expect(output).toContain('The processor takes no interrupts here: virtual IF=0.');
    expect(output).toMatch(/CPL=1 IF=1 vif=0 shadow=none/);
    expect(output).toMatch(/=> @\d+ +@\d+ +\d+ +closed: virtual IF=0 /);
  });
});

describe.each(WAYS)('the file of names, --vmi %s', (way) => {
  const { symbols, first, end } = CODE[way];
  const file = new ElfFile({ name: 'hypervisor.elf', bytes: symbolFile(CODE[way]) });

  test('has each name at its address', () => {
    const read = elfSymbols(file);
    expect(symbols.length).toBeGreaterThan(8);
    for (const { name, address } of symbols) expect(read.address(name())).toBe(address);
  });

  test('has one segment where the code is', () => {
    expect(file.segments).toMatchObject([{ physicalAddress: first, memoryBytes: end - first }]);
  });
});

test('every byte of the ROM from Init on has a name', () => {
  const { symbols } = windowMachine('rom');
  const named = symbols.with(CODE.rom.symbols);
  expect(named.lookup(0xc8080)?.name).toBe('vmi_Init');
  for (let at = 0xc8080; at < 0xc9000; at++) expect(named.lookup(at)?.name).toMatch(/^vmi_/);
  expect(named.lookup(0xc9000)).toBeNull();
});
