/** Where a queue of work is: a Redis, by its URL. */
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { UserError } from '../machine/user-error.js';

/** What BullMQ takes as its connection. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  /** A connection that is lost is waited for. */
  readonly maxRetriesPerRequest: null;
}

const REDIS_PORT = 6379;

/** `redis://host:port/db`. @throws InvalidArgumentError where it is none. */
export function parseRedis(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'redis:' || url.hostname === '') {
    throw new InvalidArgumentError('Give a URL such as redis://127.0.0.1:6379.');
  }
  const db = url.pathname.slice(1);
  return {
    host: url.hostname,
    port: url.port === '' ? REDIS_PORT : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(/^\d+$/.test(db) ? { db: Number(db) } : {}),
    maxRetriesPerRequest: null,
  };
}

/** A client of ioredis, as far as it is ours to know: BullMQ makes the most of it. */
export interface RedisClient {
  readonly isCluster?: boolean;
  connect(): Promise<void>;
  duplicate(): RedisClient;
  disconnect(): void;
}

/**
 * Connects by ioredis, which BullMQ wants to be handed.
 * @throws UserError where it is not installed.
 */
export function connectRedis(address: RedisAddress): RedisClient {
  const load = createRequire(import.meta.url);
  try {
    const { Redis } = load('ioredis') as { Redis: new (options: RedisAddress) => RedisClient };
    return new Redis(address);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') {
      throw new UserError('--queue needs the package ioredis; npm install ioredis');
    }
    throw error;
  }
}

/** Fails unless somebody listens there. @throws UserError */
export async function expectRedis({ host, port }: RedisAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', () => {
      reject(new UserError(`no Redis answers at ${host}:${port}; start one, or check --queue`));
    });
  });
}
