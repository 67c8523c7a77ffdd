/** Runs a program once, and says when its guest printed what, and what the run took. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Stamp } from './peers/stamps.js';

/** Linux gives times in /proc in hundredths of a second. */
const TICK_MILLISECONDS = 10;
/** Fields of /proc/self/stat, counted behind the name: time of children that were waited for. */
const CHILDREN_USER = 13;
const CHILDREN_SYSTEM = 14;
const MEMORY_POLL_MILLISECONDS = 50;

/** One run of one peer. */
export interface Measured {
  readonly stamps: readonly Stamp[];
  /** Start to end, in milliseconds. */
  readonly wall: number;
  /** Processor time of it all, in milliseconds, to 10 ms. */
  readonly cpu: number;
  /** The most memory that it held, in MiB; NaN where the system does not tell. */
  readonly memory: number;
  /** Null where a signal ended it, such as that of the time limit. */
  readonly status: number | null;
  /** What a peer in Node said in the end. */
  readonly result: {
    readonly retired?: number;
    readonly eventBytes?: number | null;
    readonly traceBytes?: number | null;
  };
}

/** Processor time of this process's children that have ended, in milliseconds. */
function childrenTime(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILDREN_USER]) + Number(fields[CHILDREN_SYSTEM])) * TICK_MILLISECONDS;
}

/** Processor time of a process's threads so far, in milliseconds. */
function threadsTime(pid: number): number {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const times = tasks.map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** The most memory that a process has held, in MiB. */
function memoryOf(pid: number): number {
  try {
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(peak?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/**
 * Runs the command. Lines of JSON are a peer's own stamps; any other line is stamped when it arrives.
 * @param timeout seconds after which it is ended.
 */
export async function measure(command: readonly string[], timeout: number): Promise<Measured> {
  const before = childrenTime();
  const began = performance.now();
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = child.pid ?? 0;
  const stamps: Stamp[] = [];
  let result: Measured['result'] = {};
  let memory = Number.NaN;
  let rest = '';
  let errors = '';
  const watching = setInterval(() => {
    const now = memoryOf(pid);
    if (!Number.isNaN(now)) memory = now;
  }, MEMORY_POLL_MILLISECONDS);
  const limit = setTimeout(() => child.kill('SIGKILL'), timeout * 1000);
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString();
  });
  child.stdout.on('data', (bytes: Buffer) => {
    const wall = performance.timeOrigin + performance.now();
    const cpu = threadsTime(pid);
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) stamps.push({ line: line.trimEnd(), wall, cpu });
      else {
        const said = JSON.parse(line) as Stamp | Measured['result'];
        if ('line' in said) stamps.push(said);
        else result = said;
      }
    }
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearInterval(watching);
  clearTimeout(limit);
  const wall = performance.now() - began;
  if (status === 1) process.stderr.write(errors);
  return { stamps, wall, cpu: childrenTime() - before, memory, status, result };
}
