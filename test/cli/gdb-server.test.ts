import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type GdbServer, type GdbServerOptions, serveGdb } from '../../src/cli/gdb-server.js';
import { LoopMachine } from '../gdbstub/loop-machine.js';
import { hasGdb } from '../gdbstub/real-gdb.js';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

async function serve(
  machine: LoopMachine,
  log: string[],
  options: Partial<GdbServerOptions> = {},
): Promise<GdbServer> {
  const server = await serveGdb(machine, { port: 0, log: (line) => log.push(line), ...options });
  open.push(server);
  return server;
}

async function client(server: GdbServer): Promise<Socket> {
  const socket = connect(server.port, server.host);
  socket.on('error', () => undefined);
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return socket;
}

function packet(body: string): string {
  const sum = Buffer.from(body, 'latin1').reduce((total, byte) => total + byte, 0) & 0xff;
  return `$${body}#${sum.toString(16).padStart(2, '0')}`;
}

/** The first client that is served: before the server has noticed that the last one is gone it refuses. */
async function nextClient(server: GdbServer): Promise<Socket> {
  for (;;) {
    const socket = await client(server);
    try {
      await exchange(socket, packet('?'), /T..*#..$/);
      return socket;
    } catch {
      socket.destroy();
    }
  }
}

/** Sends bytes and waits until what has come back ends as expected. */
async function exchange(socket: Socket, bytes: string, end: RegExp): Promise<string> {
  let received = '';
  socket.write(bytes, 'latin1');
  while (!end.test(received)) {
    if (socket.destroyed) throw new Error(`the server closed the connection after "${received}"`);
    const [chunk] = (await Promise.race([
      once(socket, 'data'),
      once(socket, 'close'),
    ])) as unknown[];
    if (Buffer.isBuffer(chunk)) received += chunk.toString('latin1');
  }
  return received;
}

describe('serveGdb', () => {
  test('listens on this machine alone unless told otherwise', async () => {
    const server = await serve(new LoopMachine(10), []);
    expect(server.host).toBe('127.0.0.1');
  });

  test('answers packets', async () => {
    const socket = await client(await serve(new LoopMachine(10), []));
    expect(await exchange(socket, '$qC#b4', /#..$/)).toBe('+$QC1#c5');
  });

  test('refuses a second client with a line, and keeps the first', async () => {
    const log: string[] = [];
    const server = await serve(new LoopMachine(10), log);
    const first = await client(server);
    await exchange(first, '$qC#b4', /#..$/);
    const second = await client(server);
    const answer = await exchange(second, packet('qSupported:swbreak+'), /#..$/);
    expect(answer).toMatch(/^\+\$E\.another gdb is connected, .*#..$/);
    await once(second, 'close');
    expect(log.filter((line) => line.includes('refused'))).toHaveLength(1);
    expect(await exchange(first, '$qC#b4', /#..$/)).toBe('+$QC1#c5');
  });

  test('a client that comes just before the last one goes is served', async () => {
    const server = await serve(new LoopMachine(10), []);
    const first = await client(server);
    await exchange(first, '$s#73', /T05.*#..$/);
    const second = await client(server);
    const answer = exchange(second, packet('?'), /#..$/);
    first.destroy();
    expect(await answer).toContain('T05');
  });

  test('closing puts out a second client that says nothing', async () => {
    const server = await serve(new LoopMachine(10), []);
    const first = await client(server);
    await exchange(first, '$qC#b4', /#..$/);
    const second = await client(server);
    server.close();
    await server.closed;
    await once(second, 'close');
  });

  test.skipIf(!hasGdb)('a second gdb says that another one is connected', async () => {
    const server = await serve(new LoopMachine(10), []);
    await exchange(await client(server), '$qC#b4', /#..$/);
    const words = ['-nx', '-batch', '-ex', `target remote :${server.port}`];
    const gdb = spawn('gdb', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    gdb.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    await once(gdb, 'close');
    expect(said).toContain('Remote failure reply: E.another gdb is connected');
  });

  test('takes the next client after a detach, where the last one left the target', async () => {
    const machine = new LoopMachine(10);
    const server = await serve(machine, []);
    const first = await client(server);
    await exchange(first, '$s#73', /T05.*#..$/);
    await exchange(first, '$D#44', /OK#..$/);
    await once(first, 'close');
    expect(machine.instant).toBe(1);
    const second = await client(server);
    expect(await exchange(second, '$s#73', /T05.*#..$/)).toContain('08:06100000');
  });

  test('stops the target when the client vanishes in the middle of a run', async () => {
    const machine = new LoopMachine(Number.MAX_SAFE_INTEGER);
    const log: string[] = [];
    const server = await serve(machine, log, { once: true });
    const socket = await client(server);
    await exchange(socket, '$c#63', /\+$/);
    socket.resetAndDestroy();
    await server.closed;
    const { instant } = machine;
    await new Promise(setImmediate);
    expect(machine.instant).toBe(instant);
    expect(log.at(-1)).toContain('is gone');
  });

  test('a client that vanished in the middle of a run is served again, without its breakpoints', async () => {
    const machine = new LoopMachine(Number.MAX_SAFE_INTEGER);
    const server = await serve(machine, []);
    const first = await client(server);
    await exchange(first, packet('Z0,1006,1'), /OK#..$/);
    expect(await exchange(first, packet('c'), /#..$/)).toContain('swbreak');
    await exchange(first, packet('z0,1006,1'), /OK#..$/);
    await exchange(first, packet('Z0,2000,1'), /OK#..$/);
    await exchange(first, packet('c'), /\+$/);
    first.resetAndDestroy();
    const socket = await nextClient(server);
    const { instant } = machine;
    expect(await exchange(socket, packet('s'), /T05.*#..$/)).toMatch(/T05/);
    expect(machine.instant).toBe(instant + 1);
    // Where the first client's breakpoint was the second passes, to its own.
    await exchange(socket, packet('Z0,1000,1'), /OK#..$/);
    expect(await exchange(socket, packet('c'), /#..$/)).toContain('08:00100000');
  });

  test('stops a run at Ctrl-C', async () => {
    const socket = await client(await serve(new LoopMachine(Number.MAX_SAFE_INTEGER), []));
    await exchange(socket, '$c#63', /\+$/);
    expect(await exchange(socket, '\x03', /#..$/)).toMatch(/^\$T02/);
  });

  test('with `once`, closes when its client has gone', async () => {
    const server = await serve(new LoopMachine(10), [], { once: true });
    const socket = await client(server);
    await exchange(socket, '$D#44', /OK#..$/);
    await server.closed;
  });

  test('says so in one line when it can’t listen', async () => {
    const other = createServer();
    open.push({ close: () => other.close() });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(serve(new LoopMachine(10), [], { port })).rejects.toThrow(/^cannot listen on .*$/);
  });
});
