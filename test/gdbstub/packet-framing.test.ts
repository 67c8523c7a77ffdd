import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latin1, latin1Text } from '../../src/gdbstub/bytes.js';
import { type FrameEvent, PacketDecoder } from '../../src/gdbstub/packet-decoder.js';
import { encodePacket } from '../../src/gdbstub/packet-encoder.js';

/** What a decoder makes of bytes; packets as their characters. */
function decode(bytes: Uint8Array | string, decoder = new PacketDecoder(4096)): string[] {
  const events: FrameEvent[] = [];
  for (const byte of typeof bytes === 'string' ? latin1(bytes) : bytes) {
    const event = decoder.push(byte);
    if (event !== null) events.push(event);
  }
  return events.map((event) =>
    event.kind === 'packet' ? `packet ${latin1Text(event.body)}` : event.kind,
  );
}

describe('PacketDecoder', () => {
  test('a packet comes out when its second checksum digit is in, not before', () => {
    expect(decode('$OK#9')).toEqual([]);
    expect(decode('$OK#9a')).toEqual(['packet OK']);
  });

  test('any body comes back from its frame, however the bytes are sliced', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (bodies, sizes) => {
          const stream = Buffer.concat(bodies.map(encodePacket));
          const decoder = new PacketDecoder(1024);
          const found: string[] = [];
          for (let at = 0, slice = 0; at < stream.length; slice++) {
            const size = sizes[slice % sizes.length];
            found.push(...decode(stream.subarray(at, at + size), decoder));
            at += size;
          }
          expect(found).toEqual(bodies.map((body) => `packet ${latin1Text(body)}`));
        },
      ),
    );
  });

  test('a wrong checksum, or one that is no number, is a damaged packet', () => {
    expect(decode('$OK#9b$OK#9a')).toEqual(['damaged', 'packet OK']);
    expect(decode('$OK#x9$OK#9x')).toEqual(['damaged', 'damaged']);
  });

  test('without acknowledgements the checksum is not looked at', () => {
    const decoder = new PacketDecoder(64);
    decoder.checksChecksum = false;
    expect(decode('$OK#00', decoder)).toEqual(['packet OK']);
  });

  test('03h is an interrupt between packets and a byte inside one', () => {
    expect(decode('\x03')).toEqual(['interrupt']);
    expect(decode(encodePacket(latin1('X1,1:\x03')))).toEqual(['packet X1,1:\x03']);
  });

  test('acknowledgements and rejections are told apart, and other bytes between packets skipped', () => {
    expect(decode('+-\r\n?')).toEqual(['acknowledged', 'rejected']);
  });

  test('a $ inside a packet starts it anew', () => {
    expect(decode('$m100$OK#9a')).toEqual(['packet OK']);
  });

  test('of a packet beyond the limit nothing is kept, and the next one is read', () => {
    const decoder = new PacketDecoder(8);
    const long = encodePacket(latin1('123456789'));
    expect(decode([...long].map((byte) => String.fromCharCode(byte)).join(''), decoder)).toEqual([
      'oversized',
    ]);
    expect(decode(encodePacket(latin1('12345678')), decoder)).toEqual(['packet 12345678']);
  });
});

describe('encodePacket', () => {
  test('escapes what frames packets and what would start a run length', () => {
    expect(latin1Text(encodePacket(latin1('$#}*')))).toBe('$}\x04}\x03}]}\n#62');
  });

  test('an empty body is the reply to what is unknown', () => {
    expect(latin1Text(encodePacket(latin1('')))).toBe('$#00');
  });
});
