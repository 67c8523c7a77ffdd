import { describe, expect, test } from 'vitest';
import { LoopMachine } from './loop-machine.js';
import { debug, hasGdb, printed } from './real-gdb.js';

describe.skipIf(!hasGdb)('a real gdb (skipped where gdb is not installed)', () => {
  test('shows registers, code, and the state of the target as a thread', async () => {
    const output = await debug(new LoopMachine(100), [
      'info registers',
      'x/4i $pc',
      'info threads',
      'p $irq_shadow',
    ]);
    expect(output).toMatch(/^eip +0x1000 +0x1000$/m);
    expect(output).toMatch(/^instant +0x0 +0$/m);
    expect(output).toMatch(/0x1001:\tmov +%eax,0x2000/);
    expect(output).toMatch(/\* 1 +Thread 1 \(@0\)/);
    expect(printed(output)).toEqual(['none']);
  });

  test('disassembles 16-bit code when told to, as the description names no architecture', async () => {
    const output = await debug(new LoopMachine(100), ['set architecture i8086', 'x/2i 0x1001']);
    expect(output).toMatch(/0x1001:\tmov +%ax,0x2000/);
  });

  test('steps forth and back', async () => {
    const steps = ['stepi', 'stepi', 'reverse-stepi', 'p $instant', 'p/x $eip', 'p $eax'];
    expect(printed(await debug(new LoopMachine(100), steps))).toEqual(['1', '0x1001', '1']);
  });

  test('stops at breakpoints one behind the other, and never rewrites EIP', async () => {
    const machine = new LoopMachine(100);
    const output = await debug(machine, [
      'break *0x1006',
      'break *0x1007',
      'continue',
      'p $instant',
      'continue',
      'p $instant',
      'reverse-continue',
      'p $instant',
      'p/x $eip',
    ]);
    expect(printed(output)).toEqual(['2', '3', '2', '0x1006']);
    expect(output.match(/^Breakpoint \d/gm)).toEqual([
      'Breakpoint 1',
      'Breakpoint 2',
      'Breakpoint 1',
      'Breakpoint 2',
      'Breakpoint 1',
    ]);
    expect(machine.isDiverted).toBe(false);
  });

  test('hears of both ends of the log', async () => {
    const output = await debug(new LoopMachine(100), [
      'continue',
      'p $instant',
      'reverse-continue',
      'p $instant',
      'reverse-stepi',
    ]);
    expect(output.match(/No more reverse-execution history/g)?.length).toBe(3);
    expect(output).not.toContain('SIGTRAP');
    expect(printed(output)).toEqual(['100', '0']);
  });

  test('a watchpoint shows old and new value in both directions', async () => {
    const output = await debug(new LoopMachine(100), [
      'watch *(int *) 0x2000',
      'continue',
      'continue',
      'reverse-continue',
      'p $instant',
    ]);
    const values = [...output.matchAll(/(Old|New) value = (\d+)/g)].map(([, , value]) => value);
    expect(values).toEqual(['0', '1', '1', '2', '2', '1']);
    expect(printed(output)).toEqual(['5']);
  });

  test('sets a register in a diversion, and says so', async () => {
    const output = await debug(new LoopMachine(100), ['set $ebx = 7', 'stepi', 'p $ebx']);
    expect(output.match(/holdoff: this is a diversion/g)?.length).toBe(1);
    expect(printed(output)).toEqual(['7']);
  });

  test('passes monitor commands on', async () => {
    const output = await debug(new LoopMachine(100), ['stepi', 'monitor help', 'monitor when']);
    expect(output).toContain('monitor when            the present instant\n');
    expect(output).toMatch(/^@1$/m);
  });

  test('reads up to a hole and says where it begins', async () => {
    const output = await debug(new LoopMachine(100), ['x/8wx 0x2ff0']);
    expect(output).toContain('0x2ff0:\t0x00000000\t0x00000000\t0x00000000\t0x00000000');
    expect(output).toContain('Cannot access memory at address 0x3000');
  });

  test('asks for no registers after a step: they came with the stop', async () => {
    const output = await debug(new LoopMachine(100), [
      'p $eax',
      'set debug remote 1',
      'stepi',
      'stepi',
      'reverse-stepi',
      'set debug remote 0',
    ]);
    const sent = [...output.matchAll(/Sending packet: \$(\w+)/g)].map(([, name]) => name);
    expect(sent).toEqual(expect.arrayContaining(['vCont', 'bs']));
    expect(sent).not.toContain('g');
  });

  test.each(['continue', 'reverse-continue'])('Ctrl-C stops a %s', async (command) => {
    const machine = new LoopMachine(Number.MAX_SAFE_INTEGER);
    machine.instant = Number.MAX_SAFE_INTEGER - 1_000_000_003;
    let pid = 0;
    machine.onSlice = () => {
      machine.onSlice = () => undefined;
      process.kill(pid, 'SIGINT');
    };
    const output = await debug(machine, [command, 'p 1 + 1'], undefined, (started) => {
      pid = started;
    });
    expect(output).toContain('Program received signal SIGINT');
    expect(printed(output)).toEqual(['2']);
  });
});
