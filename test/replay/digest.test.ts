import { describe, expect, test } from 'vitest';
import { DIGEST_LENGTH, StateDigest } from '../../src/replay/digest.js';
import { bareGuest } from './bare-guest.js';

/** INC EAX; JMP back. */
const COUNT_UP = [0x40, 0xeb, 0xfd];

describe('StateDigest', () => {
  test('is the same however often and by whom it was computed before', () => {
    const machine = bareGuest(...COUNT_UP);
    const early = new StateDigest(machine);
    early.compute();
    machine.run(100);
    machine.cpu.core.physical.write(0x5000, 4, 1);
    early.compute();
    machine.run(200);
    expect(early.compute()).toBe(new StateDigest(machine).compute());
    expect(early.compute()).toMatch(new RegExp(`^[0-9a-f]{${DIGEST_LENGTH}}$`));
  });

  test('does not depend on how a run was cut up', () => {
    const whole = bareGuest(...COUNT_UP);
    whole.run(1000);
    const cut = bareGuest(...COUNT_UP);
    for (let instant = 1; instant <= 1000; instant++) cut.run(instant);
    expect(new StateDigest(cut).compute()).toBe(new StateDigest(whole).compute());
  });

  test('tells states apart that differ in a byte of RAM, a register, a device or the instant', () => {
    const digests = new Set<string>();
    const changes: ((machine: ReturnType<typeof bareGuest>) => void)[] = [
      () => undefined,
      (machine) => machine.cpu.core.physical.write(0x5123, 1, 1),
      (machine) => machine.cpu.core.state.setReg32(3, 1),
      (machine) => machine.inject({ kind: 'serial', byte: 0x41 }),
      (machine) => machine.run(2),
    ];
    for (const change of changes) {
      const machine = bareGuest(...COUNT_UP);
      change(machine);
      digests.add(new StateDigest(machine).compute());
    }
    expect(digests.size).toBe(changes.length);
  });

  test('tells apart two states whose pages changed places', () => {
    const [one, other] = [bareGuest(0x90), bareGuest(0x90)];
    for (const [machine, page] of [
      [one, 5],
      [other, 6],
    ] as const) {
      machine.cpu.core.physical.write(page * 4096, 4, 0x11111111);
      machine.cpu.core.physical.write((11 - page) * 4096, 4, 0x22222222);
    }
    expect(new StateDigest(one).compute()).not.toBe(new StateDigest(other).compute());
  });

  test('a page that is zero again counts as never written', () => {
    const machine = bareGuest(0x90);
    const digest = new StateDigest(machine);
    const before = digest.compute();
    machine.cpu.core.physical.write(0x5000, 4, 77);
    expect(digest.compute()).not.toBe(before);
    machine.cpu.core.physical.write(0x5000, 4, 0);
    expect(digest.compute()).toBe(before);
  });

  test('hashes again only the pages that were written', () => {
    const machine = bareGuest(0x90);
    const digest = new StateDigest(machine);
    digest.compute();
    expect(digest.hashedPages).toBe(1);
    machine.cpu.core.physical.write(0x5000, 4, 77);
    machine.cpu.core.physical.write(0x5004, 4, 77);
    machine.cpu.core.physical.write(0x9000, 1, 1);
    digest.compute();
    expect(digest.hashedPages).toBe(2);
  });
});
