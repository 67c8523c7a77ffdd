import { describe, expect, test } from 'vitest';
import { liveSource } from '../../src/cli/live-source.js';
import type { MachineOptions } from '../../src/cli/machine-options.js';
import { setUp, startFromOptions } from '../../src/cli/machine-setup.js';
import { packagePath } from '../../src/cli/package-root.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { ENGINES } from '../../src/cpu/engine/engine.js';
import { StateDigest } from '../../src/replay/digest.js';
import { StreamCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';
import { readTrace, TraceWriter } from '../../src/replay/trace-format.js';

const INSTRUCTIONS = 3_000_000;

function record(seed: number): { trace: Buffer; serial: string } {
  const options: MachineOptions = {
    memory: 16 << 20,
    clock: 'random',
    seed,
    maxInstructions: INSTRUCTIONS,
    serial: 'null',
    engine: 'auto',
  };
  const start = startFromOptions(packagePath('guest/window/window.elf'), options);
  const { machine } = setUp(start);
  let serial = '';
  machine.onSerialOutput = (byte) => {
    serial += String.fromCharCode(byte);
  };
  const chunks: Uint8Array[] = [];
  const writer = new TraceWriter((bytes) => chunks.push(bytes), start);
  const recorder = new Recorder(machine, writer);
  const session = new Session(machine, liveSource(start.machine), {
    recorder,
    maxInstructions: INSTRUCTIONS,
  });
  while (session.outcome === null) session.slice(1_000_000);
  return { trace: Buffer.concat(chunks), serial };
}

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe.each(seeds)('guest/window under the random clock with seed %i', (seed) => {
  const recorded = record(seed);
  const trace = readTrace(recorded.trace);

  test('is interrupted again and again', () => {
    expect(trace.end?.outcome).toEqual({ kind: 'limit' });
    expect(trace.counts.accept).toBeGreaterThan(10);
  });

  // Compiling everything takes three times as long, so one seed has to do for it.
  const engines = ENGINES.filter((engine) => engine !== 'jit' || seed === seeds[0]);

  test.each(engines)('replays to the same digest and bytes under --engine %s', (engine) => {
    const { machine } = setUp(startFromTrace(trace, 'trace'), engine);
    let serial = '';
    machine.onSerialOutput = (byte) => {
      serial += String.fromCharCode(byte);
    };
    const replayer = new Replayer(machine, new StreamCursor(trace.events), trace.lastInstant);
    replayer.attach();
    expect(replayer.advance(trace.lastInstant + 1)).toBe('end');
    expect(replayer.divergence).toBeNull();
    expect(new StateDigest(machine).compute()).toBe(trace.end?.digest);
    expect(serial).toBe(recorded.serial);
  });
});
