import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latin1 } from '../../src/gdbstub/bytes.js';
import { announcedFeatures, type Parsed, parsePacket } from '../../src/gdbstub/commands/table.js';
import type { DebugTarget } from '../../src/gdbstub/target.js';
import { LoopMachine } from './loop-machine.js';

const FULL: DebugTarget = new LoopMachine(10);
/** A target with nothing but what is required. */
const BARE: DebugTarget = {
  registers: FULL.registers,
  memory: FULL.memory,
  forward: FULL.forward,
};

function parse(packet: string, target = FULL): Parsed {
  return parsePacket(latin1(packet), target);
}

describe('parsePacket', () => {
  test.each([
    ['g', { kind: 'read-registers' }],
    ['G0102', { kind: 'write-registers', bytes: Uint8Array.of(1, 2) }],
    ['p1f', { kind: 'read-register', index: 0x1f }],
    ['P8=00100000', { kind: 'write-register', index: 8, bytes: Uint8Array.of(0, 0x10, 0, 0) }],
    ['mfffff000,40', { kind: 'read-memory', address: 0xfffff000, length: 64, isBinary: false }],
    ['x1000,0', { kind: 'read-memory', address: 0x1000, length: 0, isBinary: true }],
    ['M1000,2:abcd', { kind: 'write-memory', address: 0x1000, bytes: Uint8Array.of(0xab, 0xcd) }],
    ['X1000,2:a,', { kind: 'write-memory', address: 0x1000, bytes: Uint8Array.of(0x61, 0x2c) }],
    ['X0,0:', { kind: 'write-memory', address: 0, bytes: new Uint8Array(0) }],
    ['Z0,1000,1', { kind: 'insert-stop-point', point: 'software', address: 0x1000, length: 1 }],
    ['Z1,1000,1', { kind: 'insert-stop-point', point: 'hardware', address: 0x1000, length: 1 }],
    ['Z2,1000,4', { kind: 'insert-stop-point', point: 'write', address: 0x1000, length: 4 }],
    ['Z3,1000,4', { kind: 'insert-stop-point', point: 'read', address: 0x1000, length: 4 }],
    ['z4,1000,4', { kind: 'remove-stop-point', point: 'access', address: 0x1000, length: 4 }],
    ['vCont?', { kind: 'resume-actions' }],
    ['vCont;c', { kind: 'resume', action: { kind: 'continue' } }],
    ['vCont;s:1;c', { kind: 'resume', action: { kind: 'step' } }],
    ['vCont;s:p1.1;c:p1.-1', { kind: 'resume', action: { kind: 'step' } }],
    ['vCont;C0e:1;c', { kind: 'resume', action: { kind: 'continue' } }],
    ['vCont;S05:1', { kind: 'resume', action: { kind: 'step' } }],
    [
      'vCont;r1000,1008:1;c',
      { kind: 'resume', action: { kind: 'range', first: 0x1000, end: 0x1008 } },
    ],
    ['c', { kind: 'resume', action: { kind: 'continue' } }],
    ['s', { kind: 'resume', action: { kind: 'step' } }],
    ['C05', { kind: 'resume', action: { kind: 'continue' } }],
    ['S05', { kind: 'resume', action: { kind: 'step' } }],
    ['bs', { kind: 'reverse', action: { kind: 'step' } }],
    ['bc', { kind: 'reverse', action: { kind: 'continue' } }],
    ['Hg0', { kind: 'select-thread', thread: 0 }],
    ['Hc-1', { kind: 'select-thread', thread: -1 }],
    ['Hgp1.1', { kind: 'select-thread', thread: 1 }],
    ['T1', { kind: 'thread-alive', thread: 1 }],
    ['qC', { kind: 'current-thread' }],
    ['qThreadExtraInfo,1', { kind: 'thread-status', thread: 1 }],
    ['qSupported', { kind: 'supported', features: [''] }],
    ['qSupported:swbreak+;new=1', { kind: 'supported', features: ['swbreak+', 'new=1'] }],
    [
      'qXfer:features:read:target.xml:ffb,1000',
      {
        kind: 'read-object',
        object: 'features',
        annex: 'target.xml',
        offset: 0xffb,
        length: 0x1000,
      },
    ],
    [
      'Z0,1000,1;X1,27X2,2227;cmds:1,X1,27',
      {
        kind: 'insert-stop-point',
        point: 'software',
        address: 0x1000,
        length: 1,
        conditions: [Uint8Array.of(0x27), Uint8Array.of(0x22, 0x27)],
        commands: [Uint8Array.of(0x27)],
      },
    ],
    ['qCRC:1000,20', { kind: 'checksum', address: 0x1000, length: 0x20 }],
    [
      'qSearch:memory:1000;20;ab;c',
      { kind: 'search', address: 0x1000, length: 0x20, pattern: latin1('ab;c') },
    ],
    ['!', { kind: 'extended' }],
    ['vRun;', { kind: 'run' }],
    ['R00', { kind: 'restart' }],
    ['qRcmd,7768656e', { kind: 'monitor', line: 'when' }],
    ['qAttached:1', { kind: 'attached' }],
    ['D;1', { kind: 'detach' }],
    ['k', { kind: 'kill', wantsReply: false }],
    ['vKill;a410', { kind: 'kill', wantsReply: true }],
  ] as const)('%s is understood', (packet, command) => {
    expect(parse(packet)).toEqual({ kind: 'command', command });
  });

  test.each([
    ['m', 'no address'],
    ['m1000', 'no length'],
    ['m1000,4x', 'something behind the length'],
    ['m100000000,1', 'an address of more than 32 bits'],
    ['M1000,2:ab', 'fewer bytes than the length says'],
    ['X1000,1:ab', 'more bytes than the length says'],
    ['G123', 'half a byte'],
    ['P8', 'no value'],
    ['P=00', 'no number'],
    ['g1', 'an argument where there is none'],
    ['Z0,1000', 'no kind'],
    ['Z0,1000,1;', 'no condition behind the semicolon'],
    ['Z0,1000,1;X2,00', 'a condition shorter than it says'],
    ['Z0,1000,1;Xffffffff,00', 'a condition longer than any packet'],
    ['Z0,1000,1;cmds:X1,00', 'commands that do not say whether they persist'],
    ['z0,1000,1;X1,00', 'a condition on what is removed'],
    ['qSearch:memory:1000;20;', 'no pattern'],
    ['qCRC:1000', 'no length'],
    ['vCont', 'no action'],
    ['vCont;', 'an empty action'],
    ['vCont;q', 'an action that is none'],
    ['vCont;r1000', 'a range without an end'],
    ['c1000', 'an address to go on at'],
    ['C', 'no signal'],
    ['Hg', 'no thread'],
    ['Hg-2', 'a negative thread'],
    ['T', 'no thread'],
    ['qXfer:features:read:target.xml', 'no range'],
    ['qRcmd,7', 'half a byte'],
  ])('%s is malformed: %s', (packet) => {
    expect(parse(packet)).toEqual({ kind: 'malformed' });
  });

  test.each([
    '',
    'q',
    'qCRCX:0,1',
    'qSupportedX',
    'vConta',
    'vMustReplyEmptyNot',
    'Z5,1,1',
    'vFile:unlink:00',
    'qXfer:siginfo:read::0,1',
  ])('"%s" is unknown', (packet) => {
    expect(parse(packet)).toEqual({ kind: 'unknown' });
  });

  test.each(['bs', 'bc', 'Z0,1,1', 'Z1,1,1', 'Z2,1,1', 'qRcmd,00', 'qThreadExtraInfo,1'])(
    '%s is unknown where the target lacks what it needs',
    (packet) => {
      expect(parse(packet, BARE)).toEqual({ kind: 'unknown' });
    },
  );

  test('no bytes make it throw', () => {
    const names = fc.constantFrom(
      'm',
      'M',
      'X',
      'P',
      'vCont;',
      'Z0,',
      'Hg',
      'qXfer:features:read:',
    );
    fc.assert(
      fc.property(fc.option(names, { nil: '' }), fc.uint8Array(), (name, rest) => {
        parsePacket(Buffer.concat([latin1(name), rest]), FULL);
      }),
    );
    expect(parse(`Hg${'p'.repeat(100_000)}1`)).toEqual({ kind: 'malformed' });
  });
});

describe('announcedFeatures', () => {
  test('announces going back only when the target can', () => {
    expect(announcedFeatures(FULL)).toEqual(
      expect.arrayContaining(['ReverseStep+', 'ReverseContinue+']),
    );
    expect(announcedFeatures(BARE).filter((key) => key.startsWith('Reverse'))).toEqual([]);
  });

  test('announces swbreak and hwbreak, without which gdb rewrites EIP behind our back', () => {
    expect(announcedFeatures(FULL)).toEqual(expect.arrayContaining(['swbreak+', 'hwbreak+']));
    expect(announcedFeatures(BARE)).not.toContain('swbreak+');
  });
});
