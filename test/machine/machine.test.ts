import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine, type MachineExit } from '../../src/machine/machine.js';
import { UserError } from '../../src/machine/user-error.js';

const MIB = 1 << 20;
const CODE_AT = 0x10000;

/** A machine whose clocks follow the number of times they were read. */
function clockedMachine(): Machine {
  const machine = new Machine({ memoryBytes: 2 * MIB });
  let reads = 0;
  machine.requestClock = (source) => {
    reads += 1;
    machine.inject({ kind: 'clock', source, value: reads * 37 });
  };
  return machine;
}

let machine: Machine;

beforeEach(() => {
  machine = clockedMachine();
});

function start(...code: number[]): void {
  loadImage(machine, { name: 'code', bytes: Uint8Array.from(code) }, { address: CODE_AT });
}

// biome-ignore format: one instruction a line
const EXIT_WITH_7 = [
  0xb0, 0x07, // mov $7, %al
  0xe6, 0xf4, // out %al, $0xf4
  0x90, // nop
  0xf4, // hlt
];

describe('a run ends', () => {
  test('when the guest writes to port F4h, right after that instruction', () => {
    start(...EXIT_WITH_7);
    expect(machine.run(1000)).toBe('exit');
    expect(machine.exitValue).toBe(7);
    expect(machine.cpu.instant).toBe(2);
    expect(machine.cpu.core.state.eip).toBe(CODE_AT + 4);
    expect(machine.run(1000), 'and can go on').toBe('halted');
  });

  test('with exit also when that was the last step to run', () => {
    start(...EXIT_WITH_7);
    expect(machine.run(2)).toBe('exit');
    expect(machine.run(3)).toBe('until');
  });

  test('when the guest resets the processor by the keyboard controller', () => {
    start(0xb0, 0xfe, 0xe6, 0x64, 0xf4); // mov $0xfe, %al; out %al, $0x64; hlt
    expect(machine.run(1000)).toBe('reset');
    expect(machine.exitValue).toBeNull();
  });

  test('when the guest resets the processor by port CF9h', () => {
    // mov $0xcf9, %dx; mov $6, %al; out %al, (%dx); hlt
    start(0x66, 0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4);
    expect(machine.run(1000)).toBe('reset');
  });

  test('when the processor shuts down', () => {
    start(0xcc); // int3 without an IDT
    expect(machine.run(1000)).toBe('shutdown');
  });
});

describe('memory', () => {
  test('text video memory keeps what is written; the rest of video memory is dark', () => {
    // mov $0x41, (%edi) as bytes to b8000 and a0000, then read both back
    // biome-ignore format: one instruction a line
    start(
      0xc6, 0x05, 0x00, 0x80, 0x0b, 0x00, 0x41, // movb $0x41, 0xb8000
      0xc6, 0x05, 0x00, 0x00, 0x0a, 0x00, 0x41, // movb $0x41, 0xa0000
      0x8a, 0x1d, 0x00, 0x80, 0x0b, 0x00, // mov 0xb8000, %bl
      0x8a, 0x3d, 0x00, 0x00, 0x0a, 0x00, // mov 0xa0000, %bh
      0xf4,
    );
    expect(machine.run(1000)).toBe('halted');
    expect(machine.cpu.core.state.reg16(3)).toBe(0xff41);
  });

  test('beyond RAM reads are all ones', () => {
    start(0xa1, 0x00, 0x00, 0x00, 0xf0, 0xf4); // mov 0xf0000000, %eax
    machine.run(1000);
    expect(machine.cpu.core.state.reg32(0)).toBe(-1);
  });

  test('a ROM can be read and not written', () => {
    machine.loadRom(0xc8000, Uint8Array.of(0x55, 0xaa));
    // biome-ignore format: one instruction a line
    start(
      0xc6, 0x05, 0x00, 0x80, 0x0c, 0x00, 0x41, // movb $0x41, 0xc8000
      0x66, 0xa1, 0x00, 0x80, 0x0c, 0x00, // mov 0xc8000, %ax
      0xf4,
    );
    machine.run(1000);
    expect(machine.cpu.core.state.reg16(0)).toBe(0xaa55);
    expect(() => machine.loadRom(0xffff0, new Uint8Array(17))).toThrow(RangeError);
  });

  test.each([MIB - 4096, MIB + 1, 2048 * MIB + 4096, Number.NaN])(
    '%d bytes are no size of it',
    (memoryBytes) => {
      expect(() => new Machine({ memoryBytes })).toThrow(UserError);
    },
  );
});

describe('interrupts', () => {
  /** Vectors from 20h, IRQ 0 alone unmasked, a gate for it, sti, then a loop; the handler halts. */
  // biome-ignore format: one instruction a line
  const WAIT_FOR_IRQ_0 = [
    0x0f, 0x01, 0x15, 0x40, 0x00, 0x01, 0x00, // 00 lgdt 0x10040
    0x0f, 0x01, 0x1d, 0x48, 0x00, 0x01, 0x00, // 07 lidt 0x10048
    0xb0, 0xfe, 0xe6, 0x21, // 0e unmask IRQ 0; vectors stay at 08h
    0xfb, // 12 sti
    0x90, // 13 nop
    0xeb, 0xfd, // 14 jmp to the nop
  ];

  function startWaiting(): void {
    const image = new Uint8Array(0x200);
    image.set(WAIT_FOR_IRQ_0);
    image.set([0x17, 0, 0x50, 0, 1, 0], 0x40); // GDTR: limit 23, base 10050h
    image.set([0x7f, 0, 0x80, 0, 1, 0], 0x48); // IDTR: limit 127, base 10080h
    image.set([0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0], 0x58); // 08h: flat code
    image.set([0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0], 0x60); // 10h: flat data
    for (const vector of [2, 8]) {
      image.set([0x00, 0x01, 0x08, 0, 0, 0x8e, 0x01, 0], 0x80 + vector * 8); // 10100h
    }
    image[0x100] = 0xf4; // hlt
    loadImage(machine, { name: 'code', bytes: image }, { address: CODE_AT });
  }

  test('an injected edge of the timer is raised, accepted at the next boundary, and delivered', () => {
    startWaiting();
    const seen: unknown[] = [];
    machine.observer = {
      irqRaised: (line) => seen.push(['raised', line, machine.cpu.instant]),
      irqAccepted: (...effect) => seen.push(['accepted', ...effect, machine.cpu.instant]),
    };
    expect(machine.run(20)).toBe('until');
    const { eip } = machine.cpu.core.state;
    machine.inject({ kind: 'irq', line: 0 });
    expect(machine.run(1000)).toBe('halted');
    expect(seen).toEqual([
      ['raised', 0, 20],
      ['accepted', 8, 0, 0, eip, 0, 20],
    ]);
    expect(machine.cpu.core.state.eip).toBe(CODE_AT + 0x101);
  });

  test.each([1, 2, 4, 16, -1, 0.5])('line %d takes no injected edge', (line) => {
    expect(() => machine.inject({ kind: 'irq', line })).toThrow('takes no injected edge');
  });

  test('a free line may be pulsed', () => {
    const raised: number[] = [];
    machine.observer = { irqRaised: (line) => raised.push(line), irqAccepted: () => undefined };
    machine.inject({ kind: 'irq', line: 5 });
    machine.inject({ kind: 'irq', line: 5 });
    expect(raised).toEqual([5, 5]);
  });

  test('port 70h bit 7 keeps NMI away', () => {
    startWaiting();
    const delivered: number[] = [];
    machine.cpu.onDelivery = (vector) => delivered.push(vector);
    machine.ports.write(0x70, 1, 0x80);
    machine.inject({ kind: 'nmi' });
    expect(machine.run(10)).toBe('until');
    machine.ports.write(0x70, 1, 0x00);
    expect(machine.run(20), 'it was lost').toBe('until');
    machine.inject({ kind: 'nmi' });
    expect(machine.run(1000)).toBe('halted');
    expect(delivered).toEqual([2]);
  });
});

describe('clocks', () => {
  test('RDTSC asks for the time-stamp counter, and takes what is injected', () => {
    const asked: string[] = [];
    machine.requestClock = (source) => {
      asked.push(source);
      machine.inject({ kind: 'clock', source, value: 0x1_2345_6789 });
    };
    start(0x0f, 0x31, 0xf4);
    machine.run(1000);
    expect(asked).toEqual(['tsc']);
    expect(machine.cpu.core.state.reg32(0)).toBe(0x23456789);
    expect(machine.cpu.core.state.reg32(2)).toBe(1);
  });

  test('a request without an answer, and an answer without a request, are mistakes of the driver', () => {
    expect(() => machine.inject({ kind: 'clock', source: 'pit', value: 1 })).toThrow(
      'nobody asked',
    );
    machine.requestClock = () => undefined;
    expect(() => machine.ports.read(0x61, 1)).toThrow('was not answered');
    machine.requestClock = () => machine.inject({ kind: 'clock', source: 'rtc', value: 1 });
    expect(() => machine.ports.read(0x61, 1)).toThrow('nobody asked');
    machine.requestClock = () => machine.inject({ kind: 'clock', source: 'pit', value: -1 });
    expect(() => machine.ports.read(0x61, 1)).toThrow('no value of the pit clock');
  });
});

// biome-ignore format: ranges
const PORTS = [
  0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80,
  0x92, 0xf4, 0x300, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff,
];

type Action =
  | { kind: 'in'; port: number }
  | { kind: 'out'; port: number; value: number }
  | { kind: 'program'; writes: (readonly [port: number, value: number])[] }
  | { kind: 'time'; ticks: number }
  | { kind: 'irq'; line: number }
  | { kind: 'serial'; byte: number }
  | { kind: 'inta' };

const port = fc.constantFrom(...PORTS);
const byte = fc.nat(255);
/** Sequences that single random writes would hardly ever make. */
const program: fc.Arbitrary<Extract<Action, { kind: 'program' }>> = fc
  .tuple(fc.nat(6), byte, byte, byte)
  .map(([which, first, second, third]) => {
    const port = which === 0 ? 0x20 : 0xa0;
    const sequences: [number, number][][] = [
      [
        [port, 0x11],
        [port + 1, first],
        [port + 1, second],
        [port + 1, third],
      ],
      [
        [port, 0x11],
        [port + 1, first],
        [port + 1, second],
        [port + 1, third],
      ],
      [
        [0x64, 0x60],
        [0x60, first],
      ],
      [[0x64, [0x60, 0xd1, 0xd2, 0xd4][first & 3]]],
      [[0x60, [0xed, 0xf0, 0xf2, 0xf3][first & 3]]],
      [
        [0x70, 0x06],
        [0x71, first & 7],
      ],
      [
        [0x70, 0x0b],
        [0x71, first],
      ],
    ];
    return { kind: 'program', writes: sequences[which] };
  });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: program },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('in' as const), port }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('out' as const), port, value: byte }) },
  fc.record({ kind: fc.constant('time' as const), ticks: fc.nat(100_000) }),
  fc.record({ kind: fc.constant('irq' as const), line: fc.constantFrom(0, 8, 5, 12) }),
  fc.record({ kind: fc.constant('serial' as const), byte }),
  fc.record({ kind: fc.constant('inta' as const) }),
);
const actions = fc.array(action, { maxLength: 60 });

/** Does things to the chips and notes everything that anyone could see of them. */
class Bench {
  readonly machine = new Machine({ memoryBytes: MIB });
  now = 0;
  seen: unknown[] = [];

  constructor() {
    const { machine } = this;
    machine.requestClock = (source) => {
      this.seen.push(source);
      machine.inject({ kind: 'clock', source, value: this.now });
    };
    machine.onSerialOutput = (value) => this.seen.push(['sent', value]);
    machine.observer = {
      irqRaised: (line) => this.seen.push(['raised', line]),
      irqAccepted: () => undefined,
    };
  }

  act(step: Action): void {
    const { machine } = this;
    switch (step.kind) {
      case 'in':
        this.seen.push(machine.ports.read(step.port, 1));
        break;
      case 'out':
        machine.ports.write(step.port, 1, step.value);
        break;
      case 'program':
        for (const [at, value] of step.writes) machine.ports.write(at, 1, value);
        break;
      case 'time':
        this.now += step.ticks;
        break;
      case 'inta':
        this.seen.push(machine.pic.acknowledge());
        break;
      default:
        machine.inject(step);
    }
    this.seen.push(machine.pic.interruptPin, machine.pit.nextEdge(this.now));
    this.seen.push(machine.rtc.nextEdge(this.now), machine.exitValue);
  }
}

describe('save and restore', () => {
  // Making a machine takes longer than the actions on it, so each is used for all runs.
  const bench = new Bench();
  const other = new Bench();
  const untouched = new Machine({ memoryBytes: MIB }).save();

  test('of all devices: what was saved goes on exactly as it did before', () => {
    fc.assert(
      fc.property(actions, actions, actions, (before, after, detour) => {
        bench.machine.reset();
        bench.now = 0;
        before.forEach((step) => bench.act(step));
        const saved = structuredClone(bench.machine.save());
        const at = bench.now;
        bench.seen = [];
        after.forEach((step) => bench.act(step));
        const first = [...bench.seen];
        const end = bench.machine.save();

        detour.forEach((step) => other.act(step));
        other.now = at;
        other.machine.restore(saved);
        expect(other.machine.save()).toEqual(saved);
        other.seen = [];
        after.forEach((step) => other.act(step));
        expect(other.seen).toEqual(first);
        expect(other.machine.save()).toEqual(end);
        for (const [device, state] of Object.entries(end.devices)) {
          expect(state.every(Number.isFinite), device).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a reset machine is as a new one', () => {
    fc.assert(
      fc.property(actions, (steps) => {
        steps.forEach((step) => bench.act(step));
        bench.machine.reset();
        expect(bench.machine.save()).toEqual(untouched);
      }),
      { numRuns: 100 },
    );
  });

  test('takes the processor along', () => {
    start(...EXIT_WITH_7);
    machine.run(1);
    const saved = machine.save();
    const exits: MachineExit[] = [machine.run(1000)];
    const state = machine.cpu.architecturalState();
    machine.restore(saved);
    expect(machine.exitValue).toBeNull();
    expect(machine.cpu.instant).toBe(1);
    exits.push(machine.run(1000));
    expect(exits).toEqual(['exit', 'exit']);
    expect(machine.cpu.architecturalState()).toEqual(state);
  });

  test('a state that lacks a device is refused', () => {
    const { cpu, devices } = machine.save();
    const rest = Object.fromEntries(Object.entries(devices).filter(([name]) => name !== 'pit8254'));
    expect(() => machine.restore({ cpu, devices: rest })).toThrow('lacks device pit8254');
    expect(() => machine.restore({ cpu, devices: { ...devices, pic8259: [1] } })).toThrow(
      'state of pic8259',
    );
  });
});
