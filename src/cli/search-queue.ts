/**
 * A search's pieces on a BullMQ queue, so that any number of machines can do them. A worker that dies loses
 * nothing: nobody renews the lock on its piece, and another worker gets it. Results are the same whoever
 * does a piece, so one that is done twice does no harm.
 */
import { randomUUID } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { UserError } from '../machine/user-error.js';
import { holdoffVersion } from './package-root.js';
import { connectRedis, type RedisAddress } from './redis-address.js';
import { type SearchCrew, threads } from './search-crew.js';
import type { SearchContext, WorkPiece, WorkResult } from './search-work.js';

const QUEUE = 'holdoff';
/** The job that holds a search's context: it is never run, and looked up by its name. */
const CONTEXTS = 'holdoff-searches';
/** Pieces that are on the queue at a time. */
const HANDS = 64;
/** A worker that has not been heard of for so long has died. */
const LOCK_MILLISECONDS = 5000;
const STALLED_MILLISECONDS = 2000;
/** A piece may be handed out again so many times. */
const STALLED_MOST = 100;
/** What is done is kept until whoever asked for it has read it. */
const KEEP_SECONDS = 600;

/** A piece of one search. */
interface QueuedPiece {
  readonly search: string;
  readonly version: string;
  readonly piece: WorkPiece;
}

/** A search's context as a job's data. */
interface QueuedContext {
  readonly bytes: string;
}

/** A crew of whoever serves the queue. */
export async function queueCrew(context: SearchContext, redis: RedisAddress): Promise<SearchCrew> {
  if (context.verdicts.some(({ kind }) => kind === 'script')) {
    throw new UserError('--bad-script runs on this machine alone; leave out --queue');
  }
  const search = randomUUID();
  const connection = connectRedis(redis);
  const contexts = new Queue<QueuedContext>(CONTEXTS, { connection });
  const queue = new Queue<QueuedPiece, WorkResult>(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  const bytes = serialize(context).toString('base64');
  await contexts.add('context', { bytes }, { jobId: search });
  await events.waitUntilReady();
  const waiting = new Set<Job<QueuedPiece, WorkResult>>();
  return {
    hands: HANDS,
    run: async (piece) => {
      const data = { search, version: holdoffVersion(), piece };
      const job = await queue.add('piece', data, { removeOnComplete: { age: KEEP_SECONDS } });
      waiting.add(job);
      try {
        return await job.waitUntilFinished(events);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        throw new UserError(`a worker of the queue failed: ${what}`);
      } finally {
        waiting.delete(job);
      }
    },
    close: async () => {
      for (const job of waiting) await job.remove().catch(() => undefined);
      await contexts.remove(search);
      await Promise.all([events.close(), queue.close(), contexts.close()]);
      connection.disconnect();
    },
  };
}

/** Serves a queue until it is closed. */
export interface QueueService {
  close(): Promise<void>;
}

/**
 * Does pieces of whatever searches are on the queue, so many at a time, each search in threads of its own.
 * @param onSearch told of each search as its first piece comes.
 */
export function serveQueue(
  redis: RedisAddress,
  workers: number,
  onSearch: (search: string) => void,
): QueueService {
  const connection = connectRedis(redis);
  const contexts = new Queue<QueuedContext>(CONTEXTS, { connection });
  // Of one search at a time: the threads of the one before are let go.
  let present: { readonly search: string; readonly crew: Promise<SearchCrew> } | null = null;
  const hire = async (search: string): Promise<SearchCrew> => {
    const job = await contexts.getJob(search);
    if (job === undefined) throw new Error('the search is gone');
    const context = deserialize(Buffer.from(job.data.bytes, 'base64')) as SearchContext;
    onSearch(search);
    return threads(context, workers);
  };
  const crewOf = (search: string): Promise<SearchCrew> => {
    if (present?.search === search) return present.crew;
    const before = present;
    present = { search, crew: hire(search) };
    void before?.crew.then((crew) => crew.close());
    return present.crew;
  };
  const worker = new Worker<QueuedPiece, WorkResult>(
    QUEUE,
    async ({ data: { search, version, piece } }) => {
      if (version !== holdoffVersion()) {
        throw new Error(`it is holdoff ${holdoffVersion()}, and the search is of ${version}`);
      }
      const crew = await crewOf(search);
      return crew.run(piece);
    },
    {
      connection,
      concurrency: workers,
      lockDuration: LOCK_MILLISECONDS,
      stalledInterval: STALLED_MILLISECONDS,
      maxStalledCount: STALLED_MOST,
    },
  );
  // A piece that another worker got meanwhile: its result is the same.
  worker.on('error', () => undefined);
  return {
    close: async () => {
      await worker.close();
      await contexts.close();
      connection.disconnect();
      const crew = await present?.crew.catch(() => null);
      await crew?.close();
    },
  };
}
