/** `--listen`: the address that a debugger connects to. */
import { InvalidArgumentError } from 'commander';

/** Where to listen; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:1234`, `[::1]:1234`, `:1234` or `1234`. @throws InvalidArgumentError. */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = match === null ? Number.NaN : Number(match[3]);
  if (match === null || port > 65535) {
    throw new InvalidArgumentError('Give host:port, for example 127.0.0.1:1234.');
  }
  const [, bracketed, plain] = match as (string | undefined)[];
  return { host: bracketed ?? (plain || '127.0.0.1'), port };
}
