/** A gdb client of a few lines: packets over a socket, and how long their answers take. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to a stub. */
export class RspClient {
  readonly #socket: Socket;
  #received = '';
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
      this.#wake();
    });
  }

  /** Connects, trying until the stub listens. */
  static async connect(port: number, tries = 100): Promise<RspClient> {
    for (let left = tries; ; left--) {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        socket.setNoDelay(true);
        return new RspClient(socket);
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** The answer's body, console output left out; null where none comes in that many milliseconds. */
  async ask(body: string, patience = 60_000): Promise<string | null> {
    const sum = Buffer.from(body, 'latin1').reduce((total, byte) => total + byte, 0) & 0xff;
    this.#socket.write(`$${body}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
    const end = performance.now() + patience;
    for (;;) {
      const match = /\$([^#]*)#[\da-f]{2}/.exec(this.#received);
      if (match === null) {
        if (performance.now() > end) return null;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 50);
          this.#wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        continue;
      }
      this.#received = this.#received.slice(match.index + match[0].length);
      this.#socket.write('+');
      if (!/^O[\da-f]/.test(match[1])) return match[1];
    }
  }

  /** Milliseconds until the answer came; null where none did. */
  async time(body: string, patience?: number): Promise<number | null> {
    const start = performance.now();
    const answer = await this.ask(body, patience);
    return answer === null ? null : performance.now() - start;
  }

  /** As gdb's `monitor`. */
  async monitor(command: string): Promise<string | null> {
    return await this.ask(`qRcmd,${Buffer.from(command).toString('hex')}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
