/** `holdoff worker`: does the pieces of searches that others put on a queue. */
import { STATUS_OK } from './errors.js';
import { plural } from './numbers.js';
import { expectRedis, type RedisAddress } from './redis-address.js';
import { serveQueue } from './search-queue.js';
import { StopSignal } from './stop-signal.js';

/** What `holdoff worker` may be told. */
export interface WorkerOptions {
  readonly queue: RedisAddress;
  readonly workers: number;
}

/** Serves the queue until a signal ends it; the exit status. */
export async function worker({ queue, workers }: WorkerOptions): Promise<number> {
  await expectRedis(queue);
  const service = serveQueue(queue, workers, (search) => {
    process.stderr.write(`holdoff: search ${search}\n`);
  });
  process.stderr.write(
    `holdoff: serving ${queue.host}:${queue.port} with ${plural(workers, 'worker')}; Ctrl-C ends it\n`,
  );
  await new Promise<void>((resolve) => {
    new StopSignal(resolve);
  });
  await service.close();
  return STATUS_OK;
}
