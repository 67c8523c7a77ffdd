/**
 * Sessions of a client that sends anything: packets made of what packets are made of, real transcripts
 * with bytes changed, and mere noise, in slices of any size. One session after another on one target.
 */
import { latin1 } from '../../src/gdbstub/bytes.js';
import { encodePacket } from '../../src/gdbstub/packet-encoder.js';
import { GdbSession } from '../../src/gdbstub/session.js';
import type { DebugTarget } from '../../src/gdbstub/target.js';

/** What a real gdb 13 sends, and what it may send. */
const TRANSCRIPT = [
  'qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;xmlRegisters=i386',
  'vMustReplyEmpty',
  'QStartNoAckMode',
  '!',
  'Hg0',
  'qXfer:features:read:target.xml:0,1000',
  'QPassSignals:e;10;14;17;1a;1b;1c;21;24;25;2c;4c;97;',
  'qXfer:threads:read::0,1000',
  'qXfer:exec-file:read:1:0,1000',
  'vFile:setfs:0',
  'vFile:open:2f77696e646f772e656c66,0,0',
  'vFile:fstat:3',
  'vFile:pread:3,47ff,0',
  'vFile:close:3',
  'qXfer:memory-map:read::0,1000',
  'qXfer:osdata:read:windows:0,1000',
  'qXfer:btrace:read:all:0,1000',
  'Qbtrace:bts',
  'Qbtrace:off',
  'qTStatus',
  '?',
  'qfThreadInfo',
  'qAttached',
  'g',
  'p8',
  'P8=00001000',
  'm100000,40',
  'M100000,2:abcd',
  'X100000,0:',
  'qCRC:100000,1000',
  'qSearch:memory:100000;1000;ab',
  'vCont?',
  'vCont;s:1;c',
  'vCont;C0e:1;c',
  'vCont;r100000,100010:1',
  'Z0,100020,1;X6,260008221627',
  'Z0,100020,1;cmds:1,X3,220027',
  'z0,100020,1',
  'Z2,103000,4',
  'z2,103000,4',
  'bs',
  'bc',
  'c',
  's',
  'qRcmd,7365656b202b313030',
  'qRcmd,77696e646f77',
  'qRcmd,68656c70',
  'qRcmd,6c6173742d777269746520307831303330303020',
  'vRun;',
  'R00',
  'vKill;1',
  'D',
  'k',
];
const PIECES = 'qXfer:;,+-=?$#}*!0123456789abcdefpPgGmMxXzZsScCvRTHDk\0\x03\xff';

/** A generator of numbers that needs no more than its seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** 0 up to but not including `end`. */
  below(end: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % end;
  }

  of(list: readonly string[] | string): string {
    return list[this.below(list.length)];
  }
}

export interface FuzzResult {
  readonly packets: number;
  readonly sessions: number;
  /** The most bytes that one session sent. */
  readonly mostSent: number;
}

/** Slices of motion that a client waits for before it presses Ctrl-C. */
const PATIENCE = 3;

/**
 * Runs sessions until there were so many, and so many packets.
 * @throws whatever a session throws; Error where one does not answer afterwards.
 */
export function fuzzSessions(
  target: DebugTarget,
  seed: number,
  least: { readonly packets: number; readonly sessions: number },
): FuzzResult {
  const dice = new Dice(seed);
  let packets = 0;
  let sessions = 0;
  let mostSent = 0;
  while (packets < least.packets || sessions < least.sessions) {
    const wanted = Math.ceil((2 * least.packets) / least.sessions);
    const length = 1 + dice.below(wanted);
    const client = new FuzzClient(target);
    for (let each = 0; each < length && !client.isOver; each++) {
      packets += 1;
      client.receive(randomBytes(dice), dice);
    }
    client.session.disconnect();
    sessions += 1;
    mostSent = Math.max(mostSent, client.sent);
    if (sessions % 64 === 0) expectService(target);
  }
  return { packets, sessions, mostSent };
}

class FuzzClient {
  readonly session: GdbSession;
  sent = 0;
  isOver = false;
  last: Uint8Array = new Uint8Array(0);
  readonly #tasks: (() => void)[] = [];

  constructor(target: DebugTarget) {
    this.session = new GdbSession(target, {
      send: (bytes) => {
        this.sent += bytes.length;
        this.last = bytes;
      },
      schedule: (task) => this.#tasks.push(task),
      notice: () => undefined,
      end: () => {
        this.isOver = true;
      },
    });
  }

  /** In one slice or in several; a motion that takes its time is interrupted. */
  receive(bytes: Uint8Array, dice: Dice): void {
    const cut = dice.below(4) === 0 ? dice.below(bytes.length + 1) : bytes.length;
    this.session.receive(bytes.subarray(0, cut));
    this.session.receive(bytes.subarray(cut));
    for (let slices = 0; this.#tasks.length > 0; slices++) {
      if (slices === PATIENCE) this.session.receive(Uint8Array.of(3));
      this.#tasks.shift()?.();
    }
  }
}

/** A whole packet most of the time, with a right checksum most of the time. */
function randomBytes(dice: Dice): Uint8Array {
  const kind = dice.below(16);
  if (kind === 0) return noise(dice, 1 + dice.below(300));
  const body = kind < 4 ? latin1(assembled(dice)) : mutated(dice, dice.of(TRANSCRIPT));
  const packet = encodePacket(body);
  if (kind === 15) packet[dice.below(packet.length)] ^= 1 << dice.below(8);
  return packet;
}

function noise(dice: Dice, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => dice.below(256));
}

function assembled(dice: Dice): string {
  let text = '';
  for (let length = dice.below(24); length > 0; length--) text += dice.of(PIECES);
  return text;
}

function mutated(dice: Dice, packet: string): Uint8Array {
  let text = packet;
  for (let changes = dice.below(4); changes > 0; changes--) {
    const at = dice.below(text.length + 1);
    const how = dice.below(5);
    if (how === 0) text = text.slice(0, at) + dice.of(PIECES) + text.slice(at + 1);
    else if (how === 1) text = text.slice(0, at);
    else if (how === 2) text = text.slice(0, at) + dice.of(PIECES) + text.slice(at);
    else if (how === 3) text = text.slice(0, at) + 'f'.repeat(dice.below(12)) + text.slice(at);
    else text = text.slice(at) + dice.of(TRANSCRIPT);
  }
  return latin1(text);
}

function expectService(target: DebugTarget): void {
  const client = new FuzzClient(target);
  client.receive(encodePacket(latin1('?')), new Dice(1));
  const answer = Buffer.from(client.last).toString('latin1');
  if (!answer.startsWith('$T')) throw new Error(`the next client is not served: ${answer}`);
  client.session.disconnect();
}
