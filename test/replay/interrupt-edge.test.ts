import { describe, expect, test } from 'vitest';
import { InterruptEdges, isEdgeInstruction } from '../../src/replay/interrupt-edge.js';
import { bareGuest } from './bare-guest.js';

describe('isEdgeInstruction', () => {
  test.each([
    ['cli', [0xfa]],
    ['sti', [0xfb]],
    ['popf', [0x9d]],
    ['popf with an operand-size prefix', [0x66, 0x9d]],
    ['iret', [0xcf]],
    ['int 0x80', [0xcd, 0x80]],
    ['hlt', [0xf4]],
    ['pop ss', [0x17]],
    ['mov ss, eax', [0x8e, 0xd0]],
    ['mov ss, [ebx] with a segment prefix', [0x2e, 0x8e, 0x13]],
    ['sysenter', [0x0f, 0x34]],
    ['sysexit', [0x0f, 0x35]],
  ])('finds %s', (_name, bytes) => {
    expect(isEdgeInstruction(bareGuest(...bytes))).toBe(true);
  });

  test.each([
    ['nop', [0x90]],
    ['mov ds, eax', [0x8e, 0xd8]],
    ['rdtsc', [0x0f, 0x31]],
    ['a run of prefixes without an opcode', Array.from({ length: 20 }, () => 0x66)],
  ])('passes over %s', (_name, bytes) => {
    expect(isEdgeInstruction(bareGuest(...bytes))).toBe(false);
  });

  test('finds nothing where no RAM is', () => {
    const machine = bareGuest(0x90);
    machine.cpu.core.state.eip = 0xf0000000 | 0;
    expect(isEdgeInstruction(machine)).toBe(false);
  });
});

describe('InterruptEdges', () => {
  test('is at an edge before an instruction that opens or closes a window, and where IF or the shadow changed', () => {
    // nop; sti; nop; nop; nop; cli; nop; nop
    const machine = bareGuest(0x90, 0xfb, 0x90, 0x90, 0x90, 0xfa, 0x90, 0x90);
    const edges = new InterruptEdges(machine);
    const found: number[] = [];
    for (let instant = 0; instant < 8; instant++) {
      machine.run(instant);
      if (edges.advance()) found.push(instant);
      expect(edges.advance()).toBe(false);
    }
    // 2: IF and the shadow of STI; 3: the shadow is over; 6: IF.
    expect(found).toEqual([1, 2, 3, 5, 6]);
  });
});
