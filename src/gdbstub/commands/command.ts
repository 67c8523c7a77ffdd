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

/** What a client may have added to a breakpoint: expressions in the bytecode of gdb's agents. */
export interface BreakpointExtras {
  /** It stops where one of them is not zero. */
  readonly conditions?: readonly Uint8Array[];
  /** Run in place of stopping. */
  readonly commands?: readonly Uint8Array[];
}

/** The documents that gdb reads in pieces with `qXfer`. */
export const OBJECTS = [
  'features',
  'exec-file',
  'libraries',
  'memory-map',
  'threads',
  'osdata',
  'btrace',
  'btrace-conf',
] as const;
export type ObjectName = (typeof OBJECTS)[number];

/** One packet. Addresses are unsigned 32-bit linear ones. */
export type Command =
  | { readonly kind: 'supported'; readonly features: readonly string[] }
  | { readonly kind: 'must-reply-empty' }
  | { readonly kind: 'start-no-ack' }
  | {
      readonly kind: 'read-object';
      readonly object: ObjectName;
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
  | { readonly kind: 'checksum'; readonly address: number; readonly length: number }
  | {
      readonly kind: 'search';
      readonly address: number;
      readonly length: number;
      readonly pattern: Uint8Array;
    }
  | { readonly kind: 'select-files' }
  | { readonly kind: 'open-file'; readonly name: string }
  | { readonly kind: 'file-status'; readonly file: number }
  | {
      readonly kind: 'read-file';
      readonly file: number;
      readonly length: number;
      readonly offset: number;
    }
  | { readonly kind: 'close-file'; readonly file: number }
  /** Signals by gdb's numbers that are not worth a stop. */
  | { readonly kind: 'pass-signals'; readonly signals: readonly number[] }
  | { readonly kind: 'trace-branches'; readonly isOn: boolean }
  | { readonly kind: 'extended' }
  | { readonly kind: 'run' }
  | { readonly kind: 'restart' }
  | ({ readonly kind: 'insert-stop-point' } & StopPoint & BreakpointExtras)
  | ({ readonly kind: 'remove-stop-point' } & StopPoint)
  | { readonly kind: 'monitor'; readonly line: string }
  | { readonly kind: 'detach' }
  | { readonly kind: 'kill'; readonly wantsReply: boolean };

/** One kind of command. */
export type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>;
