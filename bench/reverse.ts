/**
 * How long gdb waits: going back near and far, searching back, conditions, checkpoints, and the way to
 * the first prompt. `npx tsx bench/reverse.ts [STEPS]`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { i386Register } from '../src/gdbstub/i386-registers.js';
import { encodePacket } from '../src/gdbstub/packet-encoder.js';
import { GdbSession } from '../src/gdbstub/session.js';
import { TimelineTarget } from '../src/gdbstub/timeline-target.js';
import { loadImage } from '../src/machine/loaders/image.js';
import { Machine } from '../src/machine/machine.js';
import { Checkpoints } from '../src/replay/checkpoint.js';
import { VirtualClock } from '../src/replay/clock/virtual.js';
import type { TraceEvent } from '../src/replay/event.js';
import type { Delivery } from '../src/replay/motion.js';
import { Recorder } from '../src/replay/recorder.js';
import { Session } from '../src/replay/session.js';
import { type StopConditions, Timeline } from '../src/replay/timeline.js';
import { hasQemu, qemuRows } from './qemu-reverse.js';

const STEPS = Number(process.argv[2] ?? 200_000_000);
const MEMORY_BYTES = 64 << 20;
const IMAGE = new URL('guest/bench.elf', import.meta.url).pathname;
const rows: string[][] = [];

function row(what: string, aim: string, ...measured: string[]): void {
  // What was measured for no average belongs to no later one either.
  spent = 0;
  rows.push([what, aim, ...measured]);
  process.stderr.write(`${what}: ${measured.join(', ')}\n`);
}

/** Milliseconds of the clock on the wall, and of processors: the latter tell more on a busy machine. */
let spent = 0;
function milliseconds(work: () => void): number {
  const before = process.cpuUsage();
  const start = performance.now();
  work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  spent += (user + system) / 1000;
  return wall;
}

function percentiles(times: number[]): string[] {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(2)} ms`;
  const mean = (spent / times.length).toFixed(2);
  spent = 0;
  return [`p50 ${at(0.5)}`, `p99 ${at(0.99)}`, `CPU ${mean} ms on the average`];
}

function newMachine(): Machine {
  const machine = new Machine({ memoryBytes: MEMORY_BYTES });
  loadImage(machine, { name: 'bench.elf', bytes: readFileSync(IMAGE) }, {});
  return machine;
}

/** A client without a socket. */
class Client {
  stops = 0;
  readonly #session: GdbSession;
  readonly #tasks: (() => void)[] = [];

  constructor(target: TimelineTarget) {
    this.#session = new GdbSession(target, {
      send: (bytes) => {
        if (bytes[1] === 0x54) this.stops += 1;
      },
      schedule: (task) => this.#tasks.push(task),
      notice: () => undefined,
      end: () => undefined,
    });
  }

  /** How long it takes until the answer is there. */
  ask(packet: string): number {
    return milliseconds(() => {
      this.#session.receive(encodePacket(Buffer.from(packet, 'latin1')));
      for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
    });
  }
}

const recorded = newMachine();
const events: TraceEvent[] = [];
const session = new Session(recorded, new VirtualClock(), {
  recorder: new Recorder(recorded, { event: (event) => events.push(event) }),
  maxInstructions: STEPS,
});
const recording = milliseconds(() => {
  while (session.slice(1_000_000) === 'running');
});
const last = recorded.cpu.instant;
process.stderr.write(`recorded ${last} steps in ${recording.toFixed(0)} ms\n`);

let timeline = Timeline.overTrace(newMachine(), events, last);
const opening = milliseconds(() => {
  timeline = Timeline.overTrace(newMachine(), events, last);
});
row('trace opened in memory', '1 s to the prompt', `${opening.toFixed(1)} ms`);
const target = new TimelineTarget(timeline);
const client = new Client(target);
row('seek to the end, first time', '', `${milliseconds(() => timeline.seek(last)).toFixed(0)} ms`);

row(
  'reverse-stepi near the cursor',
  'p50 5 ms, p99 50 ms',
  ...percentiles(Array.from({ length: 300 }, () => client.ask('bs'))),
);

let seed = 1;
const far = Array.from({ length: 60 }, () => {
  seed = (seed * 48271) % 0x7fffffff;
  return milliseconds(() => {
    timeline.seek(1 + (seed % (last - 1)));
    timeline.step('backward');
  });
});
row(`seek anywhere in ${last} steps and reverse-stepi`, '250 ms', ...percentiles(far));

const middle = Math.floor(last / 2);
row(...previousInterrupt());

/** From before each timer interrupt of the guest "window" to the one before it. */
function previousInterrupt(): [string, string, ...string[]] {
  const bytes = readFileSync(new URL('../guest/window/window.elf', import.meta.url));
  const make = (): Machine => {
    const fresh = new Machine({ memoryBytes: MEMORY_BYTES });
    loadImage(fresh, { name: 'window.elf', bytes }, {});
    return fresh;
  };
  const source = make();
  const past: TraceEvent[] = [];
  const recorder = new Recorder(source, { event: (event) => past.push(event) });
  const live = new Session(source, new VirtualClock(), { recorder, maxInstructions: 5_000_000 });
  while (live.slice(1_000_000) === 'running');
  const moving = Timeline.overTrace(make(), past, source.cpu.instant);
  const taken = past.filter(({ kind }) => kind === 'accept').map(({ at }) => at);
  moving.seek(source.cpu.instant);
  const times: number[] = [];
  let distance = 0;
  for (let each = taken.length - 1; each > 0; each--) {
    moving.seek(taken[each]);
    distance += taken[each] - taken[each - 1];
    times.push(
      milliseconds(() => {
        const stops = { breakpoints: new Set<number>(), watchpoints: [], deliveries: isInterrupt };
        const motion = moving.continue('backward', stops);
        while (motion.next().done !== true);
      }),
    );
    if (moving.instant !== taken[each - 1] + 1) throw new Error('it stopped elsewhere');
  }
  const steps = Math.round(distance / times.length);
  return [`reverse-continue to the previous IRQ, ${steps} steps`, '50 ms', ...percentiles(times)];
}

function isInterrupt({ kind }: Delivery): boolean {
  return kind === 'interrupt';
}

timeline.seek(middle);
const line = Array.from({ length: 50 }, () => {
  let sum = 0;
  for (let step = 0; step < 4; step++) sum += client.ask('bs');
  return sum;
});
row('reverse-step over a line of 4 instructions', '30 ms', ...percentiles(line));

timeline.seek(middle);
/** An instruction that comes by often. */
const busyPlace = timeline.machine.cpu.core.state.eip >>> 0;
row('conditional breakpoint, 250 false hits', '20 ms, one stop', ...conditional(busyPlace));
for (const [what, stops] of [
  ['nothing to stop at', {}],
  ['a breakpoint that is not met', { breakpoints: new Set([0x10_0007]) }],
  [
    'a watchpoint that is not met',
    { watchpoints: [{ address: 0x10_0000, length: 4, access: 'write' as const }] },
  ],
] as const) {
  row(`continue over 20 million steps, ${what}`, '', ...unmet(stops));
}
for (const line of ['window', 'events', 'stats']) {
  row(`monitor ${line}`, '50 ms', ...asked(`qRcmd,${Buffer.from(line).toString('hex')}`));
}
row('info os windows', '50 ms', ...asked('qXfer:osdata:read:windows:0,1000'));
client.ask('Qbtrace:bts');
row('record btrace', '', ...asked('qXfer:btrace:read:all:0,1000'));
client.ask('Qbtrace:off');

/** A continue that finds nothing, from the middle on. */
function unmet(stops: Partial<StopConditions>): string[] {
  const to = Math.min(last, middle + 20_000_000);
  const times = Array.from({ length: 7 }, () => {
    timeline.seek(middle);
    return milliseconds(() => {
      const conditions = { breakpoints: new Set<number>(), watchpoints: [], ...stops };
      const motion = timeline.continue('forward', conditions);
      for (let slice = motion.next(); timeline.instant < to; slice = motion.next()) {
        if (slice.done === true) throw new Error('it stopped');
      }
      motion.return({ kind: 'interrupted' });
    });
  });
  return percentiles(times);
}

/** A question asked at places all over the trace. */
function asked(packet: string): string[] {
  const times = Array.from({ length: 30 }, () => {
    seed = (seed * 48271) % 0x7fffffff;
    timeline.seek(1 + (seed % (last - 1)));
    const before = spent;
    timeline.step('backward');
    spent = before;
    return client.ask(packet);
  });
  return percentiles(times);
}

/** A breakpoint on an instruction that comes by often, with a condition on the instant. */
function conditional(linear: number): string[] {
  let at = middle;
  for (let hits = 0; hits < 251; hits++) {
    timeline.step('forward');
    const motion = timeline.continue('forward', {
      breakpoints: new Set([linear]),
      watchpoints: [],
    });
    let slice = motion.next();
    while (slice.done !== true) slice = motion.next();
    if (slice.value.kind !== 'breakpoint') return ['the instruction comes by too rarely'];
    at = timeline.instant;
  }
  const register = i386Register('instant').toString(16).padStart(4, '0');
  const value = at.toString(16).padStart(16, '0');
  const code = `26${register}25${value}1327`;
  let before = 0;
  const times = Array.from({ length: 20 }, () => {
    timeline.seek(middle);
    client.ask('s');
    client.ask(`Z0,${linear.toString(16)},1;X${(code.length / 2).toString(16)},${code}`);
    client.stops = 0;
    spent = before;
    const time = client.ask('c');
    before = spent;
    client.ask(`z0,${linear.toString(16)},1`);
    if (timeline.instant !== at) throw new Error('it stopped elsewhere');
    return time;
  });
  spent = before;
  return [...percentiles(times), `${client.stops} stop, ${at - middle} steps`];
}

const machine = newMachine();
const checkpoints = new Checkpoints(machine);
checkpoints.take(0);
const taken: number[] = [];
const restored: number[] = [];
let restoring = 0;
for (let each = 1; each <= 100; each++) {
  const live = new Session(machine, new VirtualClock());
  live.advance(machine.cpu.instant + 100_000);
  taken.push(milliseconds(() => checkpoints.take(0)));
  const present = checkpoints.nearest(machine.cpu.instant)!;
  live.advance(machine.cpu.instant + 50_000);
  const before = spent;
  restored.push(milliseconds(() => checkpoints.restore(present)));
  restoring += spent - before;
  spent = before;
}
row('checkpoint taken, 64 MiB guest', '2 ms', ...percentiles(taken));
spent = restoring;
row('checkpoint restored', '2 ms', ...percentiles(restored));

const MAIN = new URL('../dist/cli/main.js', import.meta.url).pathname;
if (!existsSync(MAIN))
  process.stderr.write('no dist (npm run build): the prompt is not measured\n');
else if (spawnSync('gdb', ['--version']).status === 0) {
  row('holdoff gdb TRACE to the prompt of gdb', '1 s', await prompt());
}

/** From the start of the server, on a trace file, until a real gdb has connected. */
async function prompt(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-bench-'));
  const trace = join(folder, 'bench.trace');
  const limit = ['--max-instructions', '20000000', '--serial', 'null'];
  try {
    spawnSync(process.execPath, [MAIN, 'record', IMAGE, '-o', trace, ...limit]);
    const start = performance.now();
    const words = ['gdb', trace, '--listen', '127.0.0.1:0', '--once'];
    const server = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const port = await new Promise<string>((resolve, reject) => {
      server.stderr.on('data', (bytes: Buffer) => {
        const match = /listening on [\d.]+:(\d+)/.exec(bytes.toString());
        if (match !== null) resolve(match[1]);
      });
      server.on('close', () => reject(new Error('the server ended')));
    });
    const listening = performance.now() - start;
    const busy = processorMilliseconds(server.pid ?? 0);
    spawnSync('gdb', ['-nx', '-batch', '-ex', `target remote :${port}`]);
    const prompt = (performance.now() - start).toFixed(0);
    return `${listening.toFixed(0)} ms (CPU ${busy}), with gdb's own start ${prompt} ms`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (hasQemu()) {
  try {
    for (const [what, measured] of await qemuRows(IMAGE, STEPS / 4, busyPlace)) {
      row(`QEMU: ${what}`, '', measured);
    }
  } catch (error) {
    process.stderr.write(`QEMU is not measured: ${String(error)}\n`);
  }
}

/** What a process has used of processors so far, where the system says it. */
function processorMilliseconds(pid: number): string {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return '?';
  // Behind the name in parentheses: state is the first field, user and system time in ticks of 10 ms.
  const fields = readFileSync(path, 'utf8').split(') ')[1].split(' ');
  return `${(Number(fields[11]) + Number(fields[12])) * 10} ms`;
}

const widths = [0, 1].map((column) => Math.max(...rows.map((each) => each[column].length)));
for (const [what, aim, ...measured] of [['what', 'aim', 'measured'], ...rows]) {
  console.log(`${what.padEnd(widths[0])}  ${aim.padEnd(widths[1])}  ${measured.join('  ')}`);
}
