/** A client of a session without a socket: sends packets, keeps what comes back, runs the scheduler. */
import { latin1, latin1Text } from '../../src/gdbstub/bytes.js';
import { PacketDecoder } from '../../src/gdbstub/packet-decoder.js';
import { encodePacket } from '../../src/gdbstub/packet-encoder.js';
import { GdbSession } from '../../src/gdbstub/session.js';
import type { DebugTarget } from '../../src/gdbstub/target.js';

export class TestClient {
  readonly session: GdbSession;
  readonly notices: string[] = [];
  readonly tasks: (() => void)[] = [];
  endedAs: string | null = null;
  /** All bytes that the session sent, as characters. */
  output = '';

  constructor(target: DebugTarget) {
    this.session = new GdbSession(target, {
      send: (bytes) => {
        this.output += latin1Text(bytes);
      },
      schedule: (task) => {
        this.tasks.push(task);
      },
      notice: (line) => {
        this.notices.push(line);
      },
      end: (how) => {
        this.endedAs = how;
      },
    });
  }

  /** Sends one packet, lets the target run to its stop, and returns the bodies of all replies. */
  ask(body: string): string[] {
    this.send(body);
    this.runToStop();
    return this.replies();
  }

  /** The last reply to a packet. */
  reply(body: string): string | undefined {
    return this.ask(body).at(-1);
  }

  /** Sends a packet, and nothing runs but what runs at once. */
  send(body: string): void {
    this.session.receive(encodePacket(latin1(body)));
  }

  interrupt(): void {
    this.session.receive(Uint8Array.of(3));
  }

  runToStop(): void {
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task();
  }

  /** Takes the bodies of the packets that came since the last call. */
  replies(): string[] {
    const decoder = new PacketDecoder(1 << 20);
    const bodies: string[] = [];
    for (const byte of latin1(this.output)) {
      const event = decoder.push(byte);
      if (event?.kind === 'packet') bodies.push(latin1Text(event.body));
    }
    this.output = '';
    return bodies;
  }
}
