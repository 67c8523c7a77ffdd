/** What a packet asks for, once its bytes are understood. */

/** How the processor is to go on. */
export type ResumeAction =
  | { readonly kind: 'continue' }
  | { readonly kind: 'step' }
  /** Step while the program counter is in [first, end). */
  | { readonly kind: 'range'; readonly first: number; readonly end: number };

/** The kinds of breakpoint and watchpoint by their numbers in `Z` packets. */
export const STOP_POINT_KINDS = ['software', 'hardware', 'write', 'read', 'access'] as const;
export type StopPointKind = (typeof STOP_POINT_KINDS)[number];

/** A place of the `Z` and `z` packets. */
export interface StopPoint {
  readonly point: StopPointKind;
  readonly address: number;
  /** Bytes watched; of a breakpoint, what gdb takes for the length of a breakpoint instruction. */
  readonly length: number;
}

/** One packet. Addresses are unsigned 32-bit linear ones. */
export type Command =
  | { readonly kind: 'supported'; readonly features: readonly string[] }
  | { readonly kind: 'must-reply-empty' }
  | { readonly kind: 'start-no-ack' }
  | {
      readonly kind: 'read-features';
      readonly annex: string;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'trace-status' }
  | { readonly kind: 'offsets' }
  | { readonly kind: 'symbol-lookup' }
  | { readonly kind: 'attached' }
  | { readonly kind: 'stop-reason' }
  | { readonly kind: 'select-thread'; readonly thread: number }
  | { readonly kind: 'current-thread' }
  | { readonly kind: 'first-threads' }
  | { readonly kind: 'more-threads' }
  | { readonly kind: 'thread-alive'; readonly thread: number }
  | { readonly kind: 'thread-status'; readonly thread: number }
  | { readonly kind: 'read-registers' }
  | { readonly kind: 'write-registers'; readonly bytes: Uint8Array }
  | { readonly kind: 'read-register'; readonly index: number }
  | { readonly kind: 'write-register'; readonly index: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'read-memory';
      readonly address: number;
      readonly length: number;
      readonly isBinary: boolean;
    }
  | { readonly kind: 'write-memory'; readonly address: number; readonly bytes: Uint8Array }
  | { readonly kind: 'resume-actions' }
  | { readonly kind: 'resume'; readonly action: ResumeAction }
  | { readonly kind: 'reverse'; readonly action: ResumeAction }
  | ({ readonly kind: 'insert-stop-point' } & StopPoint)
  | ({ readonly kind: 'remove-stop-point' } & StopPoint)
  | { readonly kind: 'monitor'; readonly line: string }
  | { readonly kind: 'detach' }
  | { readonly kind: 'kill'; readonly wantsReply: boolean };

/** One kind of command. */
export type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>;
