/** What a handler has the session do, once it has done its own part. */
import { latin1, textToHex } from '../bytes.js';
import type { TargetStop } from '../target.js';

export type Reply =
  | { readonly kind: 'packet'; readonly body: Uint8Array }
  /** `code` is an errno, as gdb prints it; the message goes to a gdb that takes texts. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  /** Text for gdb's console, then OK. */
  | { readonly kind: 'console'; readonly text: string }
  /** Nothing now: the stop reply follows when the motion ends. */
  | { readonly kind: 'motion'; readonly motion: Generator<undefined, TargetStop> }
  /** Nothing now: the text that it returns is for the console, as are those that it yields. */
  | { readonly kind: 'work'; readonly work: Work }
  /** Nothing at all. */
  | { readonly kind: 'silence' }
  /** OK, and from here on neither side acknowledges packets. */
  | { readonly kind: 'no-ack' }
  | { readonly kind: 'end'; readonly how: 'detached' | 'killed'; readonly hasReply: boolean };

/** Something that takes longer than a slice; whoever drives it may `return()` it between slices. */
export type Work = Generator<string | undefined, string>;

const EINVAL = 22;
const EFAULT = 14;

/** The reply to a packet that we do not know, or that the target can't do. */
export const UNKNOWN: Reply = { kind: 'packet', body: new Uint8Array(0) };
export const SILENCE: Reply = { kind: 'silence' };
export const OK: Reply = text('OK');

export function text(body: string): Reply {
  return { kind: 'packet', body: latin1(body) };
}

/** The arguments make no sense, or ask for what can't be. */
export function invalid(message: string): Reply {
  return { kind: 'error', code: EINVAL, message };
}

/** Memory that is not there. */
export function badAddress(message: string): Reply {
  return { kind: 'error', code: EFAULT, message };
}

/** Bytes of the longest piece of text in one console packet. */
const CONSOLE_PIECE = 1024;

/** Text as `O` packets, short enough for any client. */
export function consolePackets(output: string): Uint8Array[] {
  const hex = textToHex(output);
  const packets: Uint8Array[] = [];
  for (let at = 0; at < hex.length; at += 2 * CONSOLE_PIECE) {
    packets.push(latin1(`O${hex.slice(at, at + 2 * CONSOLE_PIECE)}`));
  }
  return packets;
}
