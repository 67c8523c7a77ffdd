/**
 * One client's session: bytes in, bytes out, and a target that moves in slices in between. It knows
 * no socket and no timer; whoever has these gives it a `SessionHost`.
 *
 * Nothing that a client sends makes it throw: what is unknown is answered with an empty packet, what
 * is malformed with an error, and what it holds for a client is bounded.
 */
import { UserError } from '../machine/user-error.js';
import { latin1, latin1Text } from './bytes.js';
import { parsePacket } from './commands/table.js';
import type { SessionContext } from './handlers/handler.js';
import { consolePackets, invalid, OK, type Reply, UNKNOWN, type Work } from './handlers/reply.js';
import { handleCommand } from './handlers/table.js';
import { MOST_WAITING_NOTICES, MOST_WAITING_PACKETS, PACKET_BYTES } from './limits.js';
import { type FrameEvent, PacketDecoder } from './packet-decoder.js';
import { ACKNOWLEDGEMENT, encodePacket, REJECTION } from './packet-encoder.js';
import { StopPoints } from './stop-points.js';
import { stopReply } from './stop-reply.js';
import type { DebugTarget, TargetStop } from './target.js';

/** What a session needs from its surroundings. */
export interface SessionHost {
  /** Sends bytes to the client. */
  send(bytes: Uint8Array): void;
  /** Calls `task` once, soon, after what has arrived meanwhile was handed to `receive`. */
  schedule(task: () => void): void;
  /** True while the client does not take what was sent: then the target waits. */
  isFull?(): boolean;
  /** Tells the one who runs the server something, a line without a line feed. */
  notice(line: string): void;
  /** The session is over; nothing more will be sent. */
  end(how: 'detached' | 'killed'): void;
}

type SessionState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly motion: Generator<undefined, TargetStop> }
  | { readonly kind: 'working'; readonly work: Work }
  | { readonly kind: 'closed' };

const PREFIX = 'holdoff: ';
/** To `qRcmd`, as to which gdb 16 takes no text. */
const FAILED = 'E16';

/** A session from connection to detach, kill or loss of the client. */
export class GdbSession {
  readonly #context: SessionContext;
  readonly #host: SessionHost;
  readonly #decoder = new PacketDecoder(PACKET_BYTES);
  /** Packets that arrived while the target ran. */
  readonly #waiting: Uint8Array[] = [];
  /** Notices that gdb has not shown yet, as it takes console output at certain times only. */
  readonly #unsaid: string[] = [];
  #state: SessionState = { kind: 'idle' };
  #acknowledges = true;
  /** What to send again when the client asks for it. */
  #lastPacket: Uint8Array | null = null;

  constructor(target: DebugTarget, host: SessionHost) {
    this.#context = {
      target,
      stopPoints: new StopPoints(),
      clientFeatures: new Set(),
      print: (text) => this.#print(text),
      settings: { isExtended: false, tracesBranches: false, passedSignals: null },
      documents: new Map(),
    };
    this.#host = host;
  }

  /** Takes bytes from the client, in slices of any size. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#state.kind === 'closed') return;
      const event = this.#decoder.push(byte);
      if (event !== null) this.#take(event);
    }
  }

  /** The client is gone: stops the target where it is and forgets the client's breakpoints. */
  disconnect(): void {
    this.#close();
  }

  #take(event: FrameEvent): void {
    switch (event.kind) {
      case 'packet':
        if (this.#acknowledges) this.#host.send(ACKNOWLEDGEMENT);
        this.#takePacket(event.body);
        return;
      case 'interrupt':
        if (this.#state.kind === 'running') this.#interrupt(this.#state.motion);
        if (this.#state.kind === 'working') this.#interruptWork(this.#state.work);
        return;
      case 'damaged':
        if (this.#acknowledges) this.#host.send(REJECTION);
        return;
      case 'oversized':
        if (this.#acknowledges) this.#host.send(ACKNOWLEDGEMENT);
        this.#answer(invalid(`a packet may have ${PACKET_BYTES} bytes`));
        return;
      case 'rejected':
        if (this.#acknowledges && this.#lastPacket !== null) this.#host.send(this.#lastPacket);
        return;
      case 'acknowledged':
        return;
    }
  }

  #takePacket(body: Uint8Array): void {
    if (!this.#isIdle()) {
      if (this.#waiting.length < MOST_WAITING_PACKETS) this.#waiting.push(body);
      return;
    }
    this.#answer(this.#handle(body));
  }

  #handle(body: Uint8Array): Reply {
    try {
      const parsed = parsePacket(body, this.#context.target);
      switch (parsed.kind) {
        case 'command':
          return handleCommand(parsed.command, this.#context);
        case 'unknown':
          return UNKNOWN;
        case 'malformed':
          return invalid('the packet is malformed');
      }
    } catch (error) {
      const packet = JSON.stringify(latin1Text(body.subarray(0, 40)));
      this.#note(`packet ${packet} failed: ${messageOf(error)}`);
      return invalid(messageOf(error));
    }
  }

  #answer(reply: Reply): void {
    this.#collectNotices();
    switch (reply.kind) {
      case 'packet':
        this.#send(reply.body);
        return;
      case 'error':
        this.#send(latin1(this.#errorText(reply.code, reply.message)));
        return;
      case 'console':
        this.#print(this.#takeUnsaid() + reply.text);
        this.#answer(OK);
        return;
      case 'work':
        this.#state = { kind: 'working', work: reply.work };
        this.#advanceWork(reply.work);
        return;
      case 'silence':
        return;
      case 'motion':
        this.#state = { kind: 'running', motion: reply.motion };
        this.#advance(reply.motion);
        return;
      case 'no-ack':
        // The reply is acknowledged for the last time; we do not care whether it was.
        this.#answer(OK);
        this.#acknowledges = false;
        this.#decoder.checksChecksum = false;
        return;
      case 'end':
        if (reply.hasReply) this.#answer(OK);
        this.#close();
        this.#host.end(reply.how);
        return;
    }
  }

  /** One slice of the motion under way. */
  #advance(motion: Generator<undefined, TargetStop>): void {
    if (this.#state.kind !== 'running' || this.#state.motion !== motion) return;
    if (this.#host.isFull?.() === true) {
      this.#host.schedule(() => this.#advance(motion));
      return;
    }
    try {
      const slice = motion.next();
      if (slice.done === true) this.#stopped(slice.value);
      else {
        const progress = this.#context.target.takeProgress?.() ?? null;
        if (progress !== null) this.#print(`${progress}\n`);
        this.#host.schedule(() => this.#advance(motion));
      }
    } catch (error) {
      this.#note(messageOf(error));
      this.#stopped({ kind: 'failed' });
    }
  }

  /** One slice of a command that takes its time. */
  #advanceWork(work: Work): void {
    if (this.#state.kind !== 'working' || this.#state.work !== work) return;
    try {
      const slice = work.next();
      if (slice.done === true) {
        this.#worked(`${slice.value}\n`);
        return;
      }
      if (slice.value !== undefined) this.#print(`${slice.value}\n`);
      this.#host.schedule(() => this.#advanceWork(work));
    } catch (error) {
      this.#state = { kind: 'idle' };
      if (!(error instanceof UserError)) this.#host.notice(`a command failed: ${messageOf(error)}`);
      this.#print(`${this.#takeUnsaid()}${messageOf(error)}\n`);
      this.#send(latin1(FAILED));
      this.#takeWaiting();
    }
  }

  #interruptWork(work: Work): void {
    work.return('');
    this.#worked('Interrupted.\n');
  }

  #worked(text: string): void {
    this.#state = { kind: 'idle' };
    this.#answer({ kind: 'console', text });
    this.#takeWaiting();
  }

  #interrupt(motion: Generator<undefined, TargetStop>): void {
    motion.return({ kind: 'interrupted' });
    this.#stopped({ kind: 'interrupted' });
  }

  #stopped(stop: TargetStop): void {
    this.#state = { kind: 'idle' };
    this.#collectNotices();
    this.#print(this.#takeUnsaid());
    this.#send(latin1(stopReply(this.#context.target, stop, this.#context.stopPoints)));
    this.#takeWaiting();
  }

  #takeWaiting(): void {
    while (this.#isIdle()) {
      const body = this.#waiting.shift();
      if (body === undefined) return;
      this.#takePacket(body);
    }
  }

  #isIdle(): boolean {
    return this.#state.kind === 'idle';
  }

  #close(): void {
    if (this.#state.kind === 'closed') return;
    if (this.#state.kind === 'running') this.#state.motion.return({ kind: 'interrupted' });
    if (this.#state.kind === 'working') this.#state.work.return('');
    this.#state = { kind: 'closed' };
    this.#context.target.release?.();
    this.#waiting.length = 0;
    this.#context.stopPoints.clear();
  }

  /** Text for the client's console; it takes some only while it waits for something else. */
  #print(text: string): void {
    for (const packet of consolePackets(text)) this.#send(packet);
  }

  #send(body: Uint8Array): void {
    this.#lastPacket = encodePacket(body);
    this.#host.send(this.#lastPacket);
  }

  /** gdb 16 takes a text in place of a number. */
  #errorText(code: number, message: string): string {
    if (this.#context.clientFeatures.has('error-message+')) return `E.${message}`;
    return `E${code.toString(16).padStart(2, '0')}`;
  }

  #collectNotices(): void {
    for (const line of this.#context.target.takeNotices?.() ?? []) this.#note(line);
  }

  #note(line: string): void {
    this.#host.notice(line);
    if (this.#unsaid.length < MOST_WAITING_NOTICES) this.#unsaid.push(line);
  }

  #takeUnsaid(): string {
    return this.#unsaid
      .splice(0)
      .map((line) => `${PREFIX}${line}\n`)
      .join('');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
