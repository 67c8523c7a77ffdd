/** The TCP side of `holdoff gdb`: one socket, one client at a time, one session a client. */
import { createServer, type Server, type Socket } from 'node:net';
import { GdbSession } from '../gdbstub/session.js';
import type { DebugTarget } from '../gdbstub/target.js';
import { UserError } from '../machine/user-error.js';
import { refuseClient } from './gdb-refusal.js';

/** So long a client waits for another one to go before it is refused. */
const GRACE_MILLISECONDS = 250;

/** How the server is to listen and to whom it talks. */
export interface GdbServerOptions {
  /** 127.0.0.1 unless the user asked for another one: a debugger is a way into the machine. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The server closes when its first client has gone. */
  readonly once?: boolean;
  /** Takes lines for the one who runs the server. */
  readonly log: (line: string) => void;
}

/** A server that is listening. */
export interface GdbServer {
  readonly host: string;
  readonly port: number;
  /** Host and port as gdb takes them. */
  readonly address: string;
  /** Resolves when the server has closed, by `close` or after its only client. */
  readonly closed: Promise<void>;
  close(): void;
}

/**
 * Listens for gdb and serves it the target. The target keeps its instant from one client to the next.
 * @throws UserError when the address can't be listened on.
 */
export async function serveGdb(target: DebugTarget, options: GdbServerOptions): Promise<GdbServer> {
  const host = options.host ?? '127.0.0.1';
  let client: Socket | null = null;
  /** Those that wait for their turn, and what gives it to them. */
  const waiting = new Map<Socket, () => void>();
  const refused = new Set<Socket>();
  const close = (): void => {
    server.close();
    for (const socket of [...waiting.keys(), ...refused, client]) socket?.destroy();
  };
  const server = createServer((socket) => {
    const name = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    // A client that vanishes shows as an error and then as the end.
    socket.on('error', (error) => options.log(`gdb at ${name}: ${error.message}`));
    if (client === null) {
      serve(socket, name);
      return;
    }
    // When gdb connects anew its old connection may end behind the beginning of the new one.
    waiting.set(socket, () => serve(socket, name));
    const timer = setTimeout(() => {
      if (!waiting.delete(socket)) return;
      options.log(`gdb at ${name} was refused: another one is connected`);
      refused.add(socket);
      refuseClient(socket);
    }, GRACE_MILLISECONDS);
    socket.on('close', () => {
      clearTimeout(timer);
      waiting.delete(socket);
      refused.delete(socket);
    });
  });
  const serve = (socket: Socket, name: string): void => {
    client = socket;
    waiting.delete(socket);
    options.log(`gdb at ${name} is connected`);
    // The place is free as soon as the session is over, and not when the socket has closed: gdb may
    // connect again at once.
    serveClient(socket, target, options.log, () => {
      if (client !== socket) return;
      client = null;
      if (options.once === true) return;
      // The one that has waited longest; its entry goes when it is served.
      for (const next of [...waiting.values()].slice(0, 1)) next();
    });
    socket.on('close', () => {
      options.log(`gdb at ${name} is gone`);
      if (options.once === true) close();
    });
  };
  const closed = new Promise<void>((resolve) => server.on('close', resolve));
  const port = await listen(server, host, options.port);
  server.on('error', (error) => options.log(`the gdb server: ${error.message}`));
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { host, port, address, closed, close };
}

function serveClient(
  socket: Socket,
  target: DebugTarget,
  log: (line: string) => void,
  onOver: () => void,
): void {
  socket.setNoDelay(true);
  const session = new GdbSession(target, {
    send: (bytes) => {
      // A client that asks without reading the answers is not asked for more until it has read them.
      if (!socket.destroyed && !socket.write(bytes)) socket.pause();
    },
    isFull: () => socket.writableNeedDrain,
    schedule: (task) => void setImmediate(task),
    notice: log,
    end: () => {
      onOver();
      socket.destroySoon();
    },
  });
  socket.on('data', (bytes) => session.receive(bytes));
  socket.on('drain', () => socket.resume());
  socket.on('close', () => {
    session.disconnect();
    onOver();
  });
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new UserError(`cannot listen on ${host}:${port}: ${error.message}; try another --listen`),
      ),
    );
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
