/** What --inject takes, and what it makes of a run. */
import { describe, expect, test } from 'vitest';
import { parsePlaced } from '../../src/cli/inject-option.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { PlacedInputs } from '../../src/replay/clock/placed-inputs.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';

test.each([
  ['nmi@5000', { at: 5000, input: { kind: 'nmi' } }],
  ['6@7', { at: 7, input: { kind: 'exception', vector: 6, errorCode: null } }],
  ['13@0', { at: 0, input: { kind: 'exception', vector: 13, errorCode: 0 } }],
  ['0x0e:0xffffffff@9', { at: 9, input: { kind: 'exception', vector: 14, errorCode: -1 } }],
] as const)('%s is understood', (text, placed) => expect(parsePlaced(text)).toEqual(placed));

test.each([
  ['nmi', /Give nmi@INSTANT/],
  ['nmi@', /Give nmi@INSTANT/],
  ['nmi:3@5', /Give nmi@INSTANT/],
  ['x@5', /Give nmi@INSTANT/],
  ['32@5', /from 0 to 31/],
  ['2@5', /2 is spelt nmi/],
  ['6:1@5', /Vector 6 has no error code/],
  ['13:0x100000000@5', /32 bits/],
  ['13@99999999999999999999', /Give nmi@INSTANT/],
])('%s is refused', (text, why) => expect(() => parsePlaced(text)).toThrow(why));

describe('events that are placed', () => {
  // An IDT at 7e00h whose every gate leads to the IRET at 7c20h; INC EAX in a loop.
  const code = [
    0x0f, 0x01, 0x1d, 0x10, 0x7c, 0, 0, 0x40, 0xeb, 0xfd, 0, 0, 0, 0, 0, 0, 0xff, 0x07, 0, 0x7e, 0,
    0,
  ];
  function machine(): Machine {
    const made = new Machine({ memoryBytes: 1 << 20 });
    const bytes = new Uint8Array(0x300);
    bytes.set(code);
    // ADD ESP, 4 is for those with an error code, which the handler can't tell: HLT instead of IRET.
    bytes.set([0xcf], 0x20);
    loadImage(made, { name: 'guest', bytes }, { address: 0x7c00 });
    for (let vector = 0; vector < 32; vector++) {
      made.cpu.core.physical.write(0x7e00 + vector * 8, 4, (8 << 16) | 0x7c20);
      made.cpu.core.physical.write(0x7e00 + vector * 8 + 4, 4, 0x8e00);
    }
    return made;
  }

  test('come at their instants, in any order given, and come again in a replay', () => {
    const recorded = machine();
    const events: TraceEvent[] = [];
    const placed = ['6@40', 'nmi@20', '0@40', 'nmi@1000000'].map(parsePlaced);
    const source = new PlacedInputs(new VirtualClock(), placed);
    const recorder = new Recorder(recorded, { event: (event) => events.push(event) });
    const session = new Session(recorded, source, { recorder, maxInstructions: 100 });
    while (session.outcome === null) session.advance(Number.POSITIVE_INFINITY);
    const outside = events.filter(({ kind }) => kind === 'nmi' || kind === 'exception');
    expect(outside).toMatchObject([
      { at: 20, kind: 'nmi' },
      { at: 40, kind: 'exception', vector: 6 },
      { at: 41, kind: 'exception', vector: 0 },
    ]);
    expect(source.left).toMatchObject([{ at: 1_000_000 }]);
    const replayer = new Replayer(machine(), new ListCursor(events), events.at(-1)!.at);
    replayer.attach();
    expect(replayer.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replayer.divergence).toBeNull();
  });
});
