/**
 * From bytes to packets: a state machine that is fed a byte at a time, so that it makes no difference
 * how the transport slices them. It does no I/O and keeps at most one packet.
 * GDB manual, "Overview" of the remote protocol, "Interrupts", "Packet Acknowledgment".
 */
import { hexDigit } from './bytes.js';

/** What the decoder found in the bytes. */
export type FrameEvent =
  /** A whole packet, its escapes undone. The body is the receiver's to keep. */
  | { readonly kind: 'packet'; readonly body: Uint8Array }
  /** Ctrl-C: 0x03 outside a packet. */
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'acknowledged' }
  /** The other side wants the last packet again. */
  | { readonly kind: 'rejected' }
  /** A packet whose checksum was wrong, or was not two hex digits. */
  | { readonly kind: 'damaged' }
  /** A packet longer than the limit; what was in it is gone. */
  | { readonly kind: 'oversized' };

const START = 0x24; // $
const END = 0x23; // #
const ESCAPE = 0x7d; // }
const ESCAPE_XOR = 0x20;
const ACKNOWLEDGE = 0x2b; // +
const REJECT = 0x2d; // -
const INTERRUPT = 0x03;

/** Splits a stream of bytes into packets, acknowledgements and interrupts. */
export class PacketDecoder {
  /** Checksums are compared. Off in no-ack mode, where a damaged packet could not be asked for again. */
  checksChecksum = true;

  readonly #limit: number;
  #state: 'between' | 'body' | 'escaped' | 'checksum-high' | 'checksum-low' = 'between';
  #body: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;
  #rawLength = 0;
  #sum = 0;
  #expected = 0;

  /** @param limit most bytes between `$` and `#`; of a longer packet nothing is kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one byte; the event that it completes, or null. Bytes between packets are skipped. */
  push(byte: number): FrameEvent | null {
    switch (this.#state) {
      case 'between':
        return this.#between(byte);
      case 'body':
      case 'escaped':
        this.#inside(byte);
        return null;
      case 'checksum-high':
        this.#expected = hexDigit(byte) << 4;
        this.#state = 'checksum-low';
        return null;
      case 'checksum-low': {
        // A first digit that was none left the sign bit set, and so does a second one.
        const expected = this.#expected | hexDigit(byte);
        this.#state = 'between';
        return this.#finish(expected);
      }
    }
  }

  #between(byte: number): FrameEvent | null {
    switch (byte) {
      case START:
        this.#start();
        return null;
      case ACKNOWLEDGE:
        return { kind: 'acknowledged' };
      case REJECT:
        return { kind: 'rejected' };
      case INTERRUPT:
        return { kind: 'interrupt' };
      default:
        return null;
    }
  }

  #start(): void {
    this.#state = 'body';
    this.#length = 0;
    this.#rawLength = 0;
    this.#sum = 0;
  }

  #inside(byte: number): void {
    // An unescaped $ can't be part of a packet: the one under way was cut off.
    if (byte === START) {
      this.#start();
      return;
    }
    if (byte === END) {
      this.#state = 'checksum-high';
      return;
    }
    this.#sum = (this.#sum + byte) & 0xff;
    this.#rawLength += 1;
    if (this.#state === 'escaped') {
      this.#state = 'body';
      this.#append(byte ^ ESCAPE_XOR);
    } else if (byte === ESCAPE) {
      this.#state = 'escaped';
    } else {
      this.#append(byte);
    }
  }

  #append(byte: number): void {
    if (this.#rawLength > this.#limit) return;
    if (this.#length === this.#body.length) {
      const larger = new Uint8Array(Math.min(this.#limit, this.#body.length * 2));
      larger.set(this.#body);
      this.#body = larger;
    }
    this.#body[this.#length++] = byte;
  }

  #finish(expected: number): FrameEvent {
    if (this.checksChecksum && expected !== this.#sum) return { kind: 'damaged' };
    if (this.#rawLength > this.#limit) return { kind: 'oversized' };
    return { kind: 'packet', body: this.#body.slice(0, this.#length) };
  }
}
