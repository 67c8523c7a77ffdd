/** A search on a queue, with two workers of which one is killed while it has a piece. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRedis } from '../../src/cli/redis-address.js';
import { holdoff, start } from './holdoff.js';
import { TAKEN, TRACE } from './padding-race.js';

const RANGE = ['--from', `@${TAKEN - 31}`, '--to', `@${TAKEN + 4}`, '--budget', '5000'];
const PAIRS = fileURLToPath(new URL('../../guest/pairs/nested-nmi-wrong.elf', import.meta.url));
const SEARCH = ['explore', TRACE, '--irq', '0', ...RANGE];

function isMissing(): string | null {
  if (spawnSync('redis-server', ['--version']).error !== undefined) return 'no redis-server';
  try {
    createRequire(import.meta.url).resolve('ioredis');
    return null;
  } catch {
    return 'no package ioredis';
  }
}

const missing = isMissing();
if (missing !== null) process.stderr.write(`search-queue.test.ts: skipped: ${missing}\n`);

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when a process says something from now on. */
function said(child: ChildProcess, stream: 'stdout' | 'stderr', text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = '';
    child[stream]!.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
      if (heard.includes(text)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended without saying ${text}: ${heard}`)));
  });
}

describe.skipIf(missing !== null)('a search on a queue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-queue-'));
  const children: ChildProcess[] = [];
  let url = '';

  beforeAll(async () => {
    const port = await freePort();
    const redis = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(redis);
    await said(redis, 'stdout', 'Ready to accept connections');
    url = `redis://127.0.0.1:${port}`;
  });

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('gives the report of one machine, byte for byte, though a worker dies with a piece', async () => {
    const workers = [1, 2].map(() => start(['worker', '--queue', url, '--workers', '1'], folder));
    children.push(...workers);
    await Promise.all(workers.map((worker) => said(worker, 'stderr', 'serving')));
    // Whichever begins first: it has taken a piece, and has done none.
    const first = Promise.any(
      workers.map(async (worker) => {
        await said(worker, 'stderr', 'holdoff: search ');
        return worker;
      }),
    );
    const search = holdoff([...SEARCH, '--queue', url], '', folder);
    (await first).kill('SIGKILL');
    const [queued, alone] = [
      await search,
      await holdoff([...SEARCH, '--workers', '1'], '', folder),
    ];
    expect(queued.status).toBe(0);
    expect(queued.stdout.toString()).toBe(alone.stdout.toString());
    expect(alone.stdout.toString()).toContain('4 bad');
  }, 300_000);

  test('does pairs of events, with the report of one machine', async () => {
    const worker = start(['worker', '--queue', url, '--workers', '1'], folder);
    children.push(worker);
    await said(worker, 'stderr', 'serving');
    const around = ['--around', 'race_begin', '--radius', '3', '--within', '9'];
    const search = ['explore', PAIRS, '--memory', '4M', '--nmi', '--pairs', ...around];
    const words = [...search, '--bad-exit', '!=99', '--json'];
    const [queued, alone] = await Promise.all([
      holdoff([...words, '--queue', url], '', folder),
      holdoff([...words, '--workers', '1'], '', folder),
    ]);
    expect(queued.stdout.toString()).toBe(alone.stdout.toString());
    expect(alone.stdout.toString()).toContain('"takesBoth": true');
  }, 300_000);
});

test('a queue that nobody listens at is said in one line', async () => {
  const port = await freePort();
  const { status, stderr } = await holdoff(['worker', '--queue', `redis://127.0.0.1:${port}`]);
  expect(status).toBe(1);
  expect(stderr).toBe(
    `holdoff: no Redis answers at 127.0.0.1:${port}; start one, or check --queue\n`,
  );
});

test('an address is read with its database and its password', () => {
  expect(parseRedis('redis://me:p%40ss@example.org:7000/2')).toEqual({
    host: 'example.org',
    port: 7000,
    username: 'me',
    password: 'p@ss',
    db: 2,
    maxRetriesPerRequest: null,
  });
  expect(() => parseRedis('http://example.org')).toThrow('Give a URL');
});
