/** guest/window recorded whole on bare hardware, on annotated sites and with the ROM, under one clock. */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import type { LiveSource } from '../../../src/replay/clock/live-source.js';
import type { TraceEvent } from '../../../src/replay/event.js';
import { ListCursor } from '../../../src/replay/event-cursor.js';
import { Recorder } from '../../../src/replay/recorder.js';
import { Replayer } from '../../../src/replay/replayer.js';
import { Session } from '../../../src/replay/session.js';
import type { IretScheme } from '../../../src/vmi/iret-stubs.js';
import { type Way, windowMachine } from './window.js';

export interface Recording {
  readonly events: readonly TraceEvent[];
  readonly digest: string | null;
  readonly output: string;
}

export interface RecordingOptions {
  readonly scheme?: IretScheme;
  readonly maxInstructions?: number;
}

/** A recorded run, and what it printed. */
export function recorded(
  way: Way | null,
  clock: (machine: Machine) => LiveSource,
  { scheme = 'rollforward', maxInstructions = Number.POSITIVE_INFINITY }: RecordingOptions = {},
): Recording {
  const { machine } = windowMachine(way, scheme);
  let output = '';
  machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, clock(machine), { recorder, maxInstructions });
  while (typeof session.slice(1_000_000) !== 'object') {
    // On to the end.
  }
  return { events, digest: session.digest, output };
}

/** Replays events of a recording. @returns how that ended, and the replayer. */
export function replayed(
  way: Way | null,
  events: readonly TraceEvent[],
): { end: string; replayer: Replayer } {
  const { machine } = windowMachine(way);
  const replayer = new Replayer(machine, new ListCursor(events), events.at(-1)!.at);
  replayer.attach();
  return { end: replayer.advance(Number.POSITIVE_INFINITY), replayer };
}

const BANNERS = [
  [null, /, kernel at CPL 0$/],
  ['inline', /, kernel at CPL 1$/],
  ['rom', /, kernel at CPL 1, ROM at 000c8000$/],
] as const;

/** Claims that the guest prints the same in all three ways, and that each recording replays. */
export function claimThreeWays(name: string, clock: (machine: Machine) => LiveSource): void {
  describe(`under the ${name} clock`, () => {
    const bodies = new Map<Way | null, string>();

    test.each(BANNERS)(
      '--vmi %s passes its own checks, and replays to an equal digest',
      (way, banner) => {
        const { events, digest, output } = recorded(way, clock);
        const [first, ...rest] = output.split('\n');
        expect(first).toMatch(banner);
        expect(rest.slice(-2)).toEqual(['DONE', '']);
        bodies.set(way, rest.join('\n'));
        const { end, replayer } = replayed(way, events);
        expect([end, replayer.divergence]).toEqual(['end', null]);
        expect(events.at(-1)).toMatchObject({ kind: 'end', digest });
      },
    );

    test('all print the same but for the first line, and a line for each path', () => {
      expect(bodies.size).toBe(BANNERS.length);
      expect(new Set(bodies.values()).size).toBe(1);
      expect(bodies.get(null)?.match(/^ok: /gm)).toHaveLength(17);
    });
  });
}
