/**
 * The same questions to QEMU: `-icount rr=record`, then a replay with its gdbstub. Each answer comes from a
 * QEMU of its own, since one that did not answer is of no use for the next question.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RspClient } from './rsp-client.js';

const PORT = 41234;
const TRIES = 5;
/** Milliseconds after which an answer is not waited for any more. */
const PATIENCE = 20_000;
/** Seconds that a recording goes on, which is some hundreds of millions of instructions. */
const RECORD_SECONDS = 15;

/** Whether there is a QEMU for the i386. */
export function hasQemu(): boolean {
  return ['qemu-system-i386', 'qemu-img'].every(
    (tool) => spawnSync(tool, ['--version']).status === 0,
  );
}

/**
 * Records the image, and measures what going back in the replay takes, from that many instructions on; and
 * what a condition takes that is false 250 times.
 * @param place linear address of an instruction that comes by often.
 */
export async function qemuRows(
  image: string,
  at: number,
  place: number,
): Promise<[string, string][]> {
  const folder = mkdtempSync(join(tmpdir(), 'holdoff-qemu-'));
  const disk = join(folder, 'empty.qcow2');
  const machine = (mode: 'record' | 'replay'): string[] => [
    ...['-m', '64', '-kernel', image, '-display', 'none', '-serial', 'null', '-net', 'none'],
    ...['-icount', `shift=3,rr=${mode},rrfile=${join(folder, 'replay.bin')},rrsnapshot=init`],
    ...['-drive', `file=${disk},if=none,snapshot=off,id=rr`],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
  ];
  const ask = async (...packets: string[]): Promise<number | null> => {
    const gdb = ['-monitor', 'none', '-S', '-gdb', `tcp:127.0.0.1:${PORT}`];
    const qemu = spawn('qemu-system-i386', [...machine('replay'), ...gdb], { stdio: 'ignore' });
    const client = await RspClient.connect(PORT);
    try {
      await client.ask('qSupported:swbreak+;hwbreak+;vContSupported+');
      await client.monitor(`replay_break ${at}`);
      let took = await client.time('c', 3 * PATIENCE);
      if (took === null) throw new Error(`QEMU has not come ${at} instructions far`);
      for (const packet of packets) took = await client.time(packet, PATIENCE);
      return took;
    } finally {
      client.close();
      await ended(qemu);
    }
  };
  try {
    spawnSync('qemu-img', ['create', '-f', 'qcow2', disk, '64M']);
    spawnSync('sh', [
      '-c',
      `(sleep ${RECORD_SECONDS}; echo quit) | exec qemu-system-i386 "$@"`,
      'sh',
      ...machine('record'),
      ...['-monitor', 'stdio'],
    ]);
    return [
      [`reverse-stepi, ${at} instructions in`, await times(() => ask('bs'))],
      ['a second reverse-stepi', await times(() => ask('bs', 'bs'))],
      ['reverse-continue, no breakpoint', await times(() => ask('bc'), 2)],
      ['condition, 250 false hits, by gdb', await times(() => condition(image, place))],
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A breakpoint whose condition is false 250 times, then true, in a run that is neither recorded nor replayed.
 * QEMU evaluates no conditions, so the real gdb is the client, and evaluates it at each hit. Milliseconds from
 * `continue` to the stop; null where there was none.
 */
async function condition(image: string, place: number): Promise<number | null> {
  const machine = ['-m', '64', '-kernel', image, '-display', 'none', '-serial', 'null'];
  const gdb = ['-net', 'none', '-monitor', 'none', '-S', '-gdb', `tcp:127.0.0.1:${PORT}`];
  const qemu = spawn('qemu-system-i386', [...machine, ...gdb], { stdio: 'ignore' });
  const address = `*0x${place.toString(16)}`;
  const commands = [
    ...['set tcp connect-timeout 20', `target remote :${PORT}`, `tbreak ${address}`, 'continue'],
    ...['set $hits = 0', `break ${address} if $hits++ >= 250`, 'python import time'],
    ...['python start = time.time()', 'continue'],
    'python print("took %f ms" % (1000 * (time.time() - start)))',
    'print $hits',
  ];
  try {
    const words = ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command])];
    const { stdout } = spawnSync('gdb', words, { encoding: 'utf8', timeout: 3 * PATIENCE });
    const took = /^took ([\d.]+) ms$/m.exec(stdout);
    return took === null || !stdout.includes('$1 = 251') ? null : Number(took[1]);
  } finally {
    await ended(qemu);
  }
}

async function times(ask: () => Promise<number | null>, tries = TRIES): Promise<string> {
  const took: (number | null)[] = [];
  for (let each = 0; each < tries; each++) took.push(await ask());
  const answered = took.filter((each) => each !== null).toSorted((a, b) => a - b);
  const none = `no answer in ${PATIENCE / 1000} s: ${tries - answered.length} of ${tries}`;
  if (answered.length === 0) return none;
  const median = `p50 ${answered[Math.floor(answered.length / 2)].toFixed(0)} ms`;
  return answered.length === tries ? median : `${median}, ${none}`;
}

async function ended(qemu: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => qemu.on('exit', resolve));
  if (qemu.exitCode === null) qemu.kill('SIGKILL');
  await exit;
}
