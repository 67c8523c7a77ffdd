import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, latin1, latin1Text, textToHex } from '../../src/gdbstub/bytes.js';
import { I386_LAYOUT, i386Register } from '../../src/gdbstub/i386-registers.js';
import { PACKET_BYTES } from '../../src/gdbstub/limits.js';
import { encodePacket } from '../../src/gdbstub/packet-encoder.js';
import { registerBytes } from '../../src/gdbstub/register-layout.js';
import type { DebugTarget, TargetStop } from '../../src/gdbstub/target.js';
import { LOOP_CODE, LoopMachine } from './loop-machine.js';
import { TestClient } from './test-client.js';

const ZERO = '00000000';
/** The stop reply with EIP as given. */
function stop(signal: string, eip: string, reason = ''): string {
  return `T${signal}04:${ZERO};05:${ZERO};08:${eip};thread:1;${reason}`;
}

/** What gdb shows for the console packets among the replies. */
function consoleText(replies: readonly string[]): string {
  return replies
    .filter((reply) => /^O(?!K$)/.test(reply))
    .map((reply) => Buffer.from(fromHex(reply.slice(1)) ?? []).toString('utf8'))
    .join('');
}

describe('opening a session', () => {
  test('the packets of gdb 13’s connection are answered as it wants them', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386')).toMatch(
      /^PacketSize=20000;/,
    );
    expect(client.reply('vMustReplyEmpty')).toBe('');
    expect(client.reply('QStartNoAckMode')).toBe('OK');
    expect(client.reply('Hg0')).toBe('OK');
    expect(client.reply('qXfer:features:read:target.xml:0,1000')).toMatch(/^[ml]<\?xml/);
    expect(client.reply('qTStatus')).toBe('');
    expect(client.reply('?')).toBe(stop('05', '00100000'));
    expect(client.reply('qfThreadInfo')).toBe('m1');
    expect(client.reply('qsThreadInfo')).toBe('l');
    expect(client.reply('qAttached')).toBe('1');
    expect(client.reply('Hc-1')).toBe('OK');
    expect(client.reply('qC')).toBe('QC1');
    expect(client.reply('T1')).toBe('OK');
    expect(client.reply('qThreadExtraInfo,1')).toBe(textToHex('@0'));
    expect(client.reply('qOffsets')).toBe('');
    expect(client.reply('qSymbol::')).toBe('OK');
    expect(client.reply('vCont?')).toBe('vCont;c;C;s;S;r');
  });

  test('the pieces of the description are the whole of it', () => {
    const client = new TestClient(new LoopMachine(100));
    const whole = client.reply('qXfer:features:read:target.xml:0,10000');
    let pieces = '';
    for (let piece = 'm', offset = 0; piece.startsWith('m'); offset += 0x100) {
      piece = client.reply(`qXfer:features:read:target.xml:${offset.toString(16)},100`) ?? '';
      pieces += piece.slice(1);
    }
    expect(`l${pieces}`).toBe(whole);
    expect(client.reply('qXfer:features:read:else.xml:0,100')).toBe('E16');
    expect(client.reply('qXfer:features:read:target.xml:fffff,100')).toBe('l');
  });

  test('packets are acknowledged until QStartNoAckMode, whose own reply still is', () => {
    const client = new TestClient(new LoopMachine(100));
    client.send('qC');
    expect(client.output).toBe('+$QC1#c5');
    client.output = '';
    client.send('QStartNoAckMode');
    expect(client.output).toBe('+$OK#9a');
    client.output = '';
    client.send('qC');
    expect(client.output).toBe('$QC1#c5');
  });

  test('a damaged packet is asked for again, and a rejected reply is sent again', () => {
    const client = new TestClient(new LoopMachine(100));
    client.session.receive(latin1('$qC#00'));
    expect(client.output).toBe('-');
    client.send('qC');
    client.output = '';
    client.session.receive(latin1('-'));
    expect(client.output).toBe('$QC1#c5');
  });
});

describe('registers', () => {
  test('g is all registers in order, p one of them', () => {
    const client = new TestClient(new LoopMachine(100));
    client.ask('s');
    const all = client.reply('g') ?? '';
    const bytes = I386_LAYOUT.registers.reduce((sum, each) => sum + registerBytes(each), 0);
    expect(all.length).toBe(2 * bytes);
    expect(all.slice(0, 8)).toBe('01000000');
    expect(client.reply('p0')).toBe('01000000');
    expect(client.reply(`p${i386Register('instant').toString(16)}`)).toBe('0100000000000000');
    expect(client.reply('pff')).toBe('E16');
  });

  test('writing one starts a diversion, of which the user is told once', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    expect(client.reply('P3=07000000')).toBe('OK');
    expect(client.reply('P3=08000000')).toBe('OK');
    expect(machine.isDiverted).toBe(true);
    expect(client.notices).toEqual(['this is a diversion']);
    // gdb takes console output while the target runs, not in reply to P.
    expect(consoleText(client.ask('s'))).toBe('holdoff: this is a diversion\n');
    expect(consoleText(client.ask('s'))).toBe('');
  });

  test('G writes what differs from what is there, and nothing else', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    const all = client.reply('g') ?? '';
    expect(client.reply(`G${all}`)).toBe('OK');
    expect(machine.isDiverted).toBe(false);
    expect(client.reply(`G05${all.slice(2)}`)).toBe('OK');
    expect(machine.isDiverted).toBe(true);
    expect(client.reply('p0')).toBe('05000000');
    expect(client.reply('G00')).toBe('E16');
  });

  test('a value of the wrong size, or one that can’t be set, is an error', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('P0=0000')).toBe('E16');
    expect(client.reply(`P${i386Register('instant').toString(16)}=0000000000000000`)).toBe('E16');
  });

  test('a target that can’t be written answers as if it did not know the packets', () => {
    const { registers, memory, forward } = new LoopMachine(100);
    const client = new TestClient({
      registers: { layout: registers.layout, read: registers.read },
      memory: { read: memory.read },
      forward,
    });
    expect(client.reply('P0=00000000')).toBe('');
    expect(client.reply('M1000,1:00')).toBe('');
  });
});

describe('memory', () => {
  test('m and x read the same bytes', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('m1000,9')).toBe(Buffer.from(LOOP_CODE).toString('hex'));
    expect(client.reply('x1000,9')).toBe(`b${latin1Text(LOOP_CODE)}`);
  });

  test('a range with a hole is answered up to the hole, and one without a start is an error', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('m2ff0,40')).toBe('00'.repeat(16));
    expect(client.reply('m3000,1')).toBe('E0e');
    expect(client.reply('m3000,0')).toBe('');
  });

  test('a read longer than a packet is answered short', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('m1000,ffffffff')?.length).toBe(2 * 0x2000);
  });

  test('a gdb that takes texts for errors gets them', () => {
    const client = new TestClient(new LoopMachine(100));
    client.ask('qSupported:error-message+');
    expect(client.reply('m3000,1')).toBe('E.nothing can be read at 3000h');
  });

  test('M and X write, and X without bytes is a question that diverts nothing', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    expect(client.reply('X1000,0:')).toBe('OK');
    expect(machine.isDiverted).toBe(false);
    expect(client.reply('X1006,1:}')).toBe('OK');
    expect(client.reply('m1006,1')).toBe('7d');
    expect(client.reply('M1006,1:90')).toBe('OK');
    expect(client.reply('M9000,1:90')).toBe('E0e');
  });
});

describe('moving', () => {
  test('a step in either direction is answered with EIP, ESP and EBP in the reply', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.ask('vCont;s:1;c')).toEqual([stop('05', '01100000')]);
    expect(client.ask('vCont;s:1;c')).toEqual([stop('05', '06100000')]);
    expect(client.ask('bs')).toEqual([stop('05', '01100000')]);
  });

  test('both ends of the timeline are named', () => {
    const client = new TestClient(new LoopMachine(6));
    expect(client.reply('bs')).toBe(stop('05', '00100000', 'replaylog:begin;'));
    expect(client.reply('bc')).toBe(stop('05', '00100000', 'replaylog:begin;'));
    expect(client.reply('vCont;c')).toBe(stop('05', '06100000', 'replaylog:end;'));
    expect(client.reply('vCont;s')).toBe(stop('05', '06100000', 'replaylog:end;'));
    expect(client.reply('bc')).toBe(stop('05', '00100000', 'replaylog:begin;'));
  });

  test('a breakpoint under EIP stops a forward continue at once and not a backward one', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    client.ask('Z0,1007,1');
    expect(client.reply('vCont;c')).toBe(stop('05', '07100000', 'swbreak:;'));
    expect(client.reply('vCont;c')).toBe(stop('05', '07100000', 'swbreak:;'));
    expect(machine.instant).toBe(3);
    expect(client.reply('bc')).toBe(stop('05', '00100000', 'replaylog:begin;'));
    expect(machine.instant).toBe(0);
  });

  test('a hardware breakpoint says so, and a removed one is gone', () => {
    const client = new TestClient(new LoopMachine(100));
    client.ask('Z1,1006,1');
    expect(client.reply('c')).toBe(stop('05', '06100000', 'hwbreak:;'));
    expect(client.reply('z1,1006,1')).toBe('OK');
    expect(client.reply('c')).toContain('replaylog:end;');
  });

  test('a watchpoint stops after the access, and backward after taking it back', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    client.ask('Z2,2000,4');
    expect(client.reply('c')).toBe(stop('05', '06100000', 'watch:2000;'));
    expect(machine.counter).toBe(1);
    client.ask('c');
    expect(machine.counter).toBe(2);
    expect(client.reply('bc')).toBe(stop('05', '01100000', 'watch:2000;'));
    expect(machine.counter).toBe(1);
    client.ask('z2,2000,4');
    client.ask('Z4,2000,1');
    expect(client.reply('c')).toBe(stop('05', '06100000', 'awatch:2000;'));
  });

  test('a step onto a breakpoint is a step, a step over a watched access a watchpoint', () => {
    const client = new TestClient(new LoopMachine(100));
    client.ask('Z0,1001,1');
    client.ask('Z2,2000,4');
    expect(client.reply('s')).toBe(stop('05', '01100000'));
    expect(client.reply('s')).toBe(stop('05', '06100000', 'watch:2000;'));
  });

  test('a range is stepped until it is left, a breakpoint in it is hit, or the log ends', () => {
    const machine = new LoopMachine(10_001);
    const client = new TestClient(machine);
    expect(client.reply('vCont;r1000,1007:1')).toBe(stop('05', '07100000'));
    expect(client.reply('vCont;r1007,1008:1')).toBe(stop('05', '00100000'));
    client.ask('Z0,1006,1');
    expect(client.reply('vCont;r1000,1008:1')).toBe(stop('05', '06100000', 'swbreak:;'));
    client.ask('z0,1006,1');
    expect(client.reply('vCont;r1000,1008:1')).toBe(stop('05', '01100000', 'replaylog:end;'));
  });

  test('where EIP is not the linear address a breakpoint is an unexplained trap', () => {
    const { registers, memory } = new LoopMachine(100);
    const hit: TargetStop = { kind: 'breakpoint', linear: 0x5_1000 };
    const motion = function* (): Generator<undefined, TargetStop> {
      yield undefined;
      return hit;
    };
    const target: DebugTarget = {
      registers,
      memory,
      forward: { step: motion, continue: motion },
      breakpoints: { accepts: () => true },
    };
    const client = new TestClient(target);
    client.ask('Z0,51000,1');
    expect(client.reply('c')).toBe(stop('05', '00100000'));
  });

  test('Ctrl-C stops a run between two slices, in both directions', () => {
    const machine = new LoopMachine(1_000_000);
    const client = new TestClient(machine);
    client.send('vCont;c');
    client.tasks.shift()?.();
    client.interrupt();
    expect(client.replies().at(-1)).toMatch(/^T02/);
    const { instant } = machine;
    expect(instant).toBeGreaterThan(0);
    client.runToStop();
    expect(machine.instant).toBe(instant);
    client.send('bc');
    client.interrupt();
    expect(client.replies().at(-1)).toMatch(/^T02/);
    expect(machine.instant).toBeLessThan(instant);
  });

  test('Ctrl-C is nothing when nothing runs', () => {
    const client = new TestClient(new LoopMachine(100));
    client.interrupt();
    expect(client.output).toBe('');
  });

  test('packets that come during a run are answered after it', () => {
    const client = new TestClient(new LoopMachine(10_000));
    client.send('c');
    client.send('qC');
    expect(client.replies()).toEqual([]);
    client.runToStop();
    expect(client.replies()).toEqual([stop('05', '00100000', 'replaylog:end;'), 'QC1']);
  });

  test('a target that breaks is a stop with SIGABRT and a notice', () => {
    const { registers, memory } = new LoopMachine(100);
    const motion = (): Generator<undefined, TargetStop> => {
      throw new Error('out of order');
    };
    const slow = function* (): Generator<undefined, TargetStop> {
      yield undefined;
      throw new Error('out of order');
    };
    const client = new TestClient({ registers, memory, forward: { step: motion, continue: slow } });
    expect(client.reply('s')).toBe('E16');
    const replies = client.ask('c');
    expect(replies.at(-1)).toBe(stop('06', '00100000'));
    expect(consoleText(replies)).toContain('out of order');
  });
});

describe('monitor', () => {
  function monitor(client: TestClient, line: string): string {
    const replies = client.ask(`qRcmd,${textToHex(line)}`);
    expect(replies.at(-1)).toBe('OK');
    return consoleText(replies);
  }

  test('help lists the target’s commands, and help for one adds its details', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(monitor(client, 'help')).toBe(
      'monitor help [COMMAND]  this list, or all about one command\n' +
        'monitor when            the present instant\n' +
        'monitor break-it        fails\n',
    );
    expect(monitor(client, ' help  when ')).toBe(
      'monitor when\n  the present instant\n  Instants count steps.\n',
    );
    expect(monitor(client, '')).toBe(monitor(client, 'help'));
  });

  test('a command prints, an unknown one says what to do', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(monitor(client, 'when')).toBe('@0\n');
    expect(monitor(client, 'where')).toBe('monitor where: no such command; try "monitor help"\n');
  });

  test('one that breaks is an error, and the session goes on', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply(`qRcmd,${textToHex('break-it')}`)).toBe('E16');
    expect(client.notices[0]).toContain('out of order');
    expect(monitor(client, 'when')).toContain('@0\n');
  });
});

describe('closing a session', () => {
  test('detach answers, and the target stays where it was', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    client.ask('s');
    expect(client.reply('D')).toBe('OK');
    expect(client.endedAs).toBe('detached');
    expect(machine.instant).toBe(1);
    client.send('qC');
    expect(client.output).toBe('');
  });

  test('kill takes the target back to where a first client finds it; k has no reply', () => {
    const machine = new LoopMachine(100);
    const client = new TestClient(machine);
    client.ask('s');
    expect(client.ask('k')).toEqual([]);
    expect(client.endedAs).toBe('killed');
    expect(machine.instant).toBe(0);
    const other = new TestClient(machine);
    expect(other.reply('vKill;1')).toBe('OK');
    expect(machine.restarts).toBe(2);
  });

  test('a client that vanishes leaves the target stopped', () => {
    const machine = new LoopMachine(1_000_000);
    const client = new TestClient(machine);
    client.send('c');
    client.session.disconnect();
    const { instant } = machine;
    client.runToStop();
    expect(machine.instant).toBe(instant);
    expect(client.replies()).toEqual([]);
  });
});

describe('bad clients', () => {
  test('unknown packets are answered empty, malformed ones with an error', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply('qNothingOfTheKind')).toBe('');
    expect(client.reply('m')).toBe('E16');
  });

  test('a packet beyond PacketSize is an error and takes no room', () => {
    const client = new TestClient(new LoopMachine(100));
    expect(client.reply(`M1000,1:${'0'.repeat(PACKET_BYTES)}`)).toBe('E16');
    expect(client.reply('qC')).toBe('QC1');
  });

  test('of packets sent during a run only some are kept', () => {
    const client = new TestClient(new LoopMachine(10_000));
    client.send('c');
    for (let i = 0; i < 1000; i++) client.send('qC');
    client.runToStop();
    expect(client.replies().length).toBe(65);
  });

  test('breakpoints without end are refused', () => {
    const client = new TestClient(new LoopMachine(100));
    for (let address = 0; address < 65_536; address++) client.send(`Z0,${address.toString(16)},1`);
    client.output = '';
    expect(client.reply('Z0,ffffffff,1')).toBe('E16');
    expect(client.reply('Z0,0,1')).toBe('OK');
    expect(client.reply('Z2,2000,2000')).toBe('E16');
  });

  test('no bytes at all make a session throw, and it answers afterwards', () => {
    const names = fc.constantFrom(
      'm',
      'M',
      'X',
      'P',
      'G',
      'vCont',
      'Z2',
      'H',
      'qXfer',
      'qRcmd,',
      '',
    );
    const junk = fc.uint8Array({ maxLength: 40 });
    const packets = fc.array(fc.tuple(names, junk, fc.boolean()), { maxLength: 20 });
    fc.assert(
      fc.property(packets, (all) => {
        const client = new TestClient(new LoopMachine(100));
        for (const [name, rest, isFramed] of all) {
          const bytes = Buffer.concat([latin1(name), rest]);
          client.session.receive(isFramed ? encodePacket(bytes) : bytes);
          client.runToStop();
        }
        if (client.endedAs !== null) return;
        // What was left unfinished ends here.
        client.session.receive(latin1('#00'));
        client.output = '';
        expect(client.reply('qC')).toBe('QC1');
      }),
    );
  });
});
