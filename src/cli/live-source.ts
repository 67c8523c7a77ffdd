/** The clock that the options ask for: the one place where guest time may become the host's. */
import { HostClock } from '../replay/clock/host.js';
import type { LiveSource } from '../replay/clock/live-source.js';
import { RandomClock } from '../replay/clock/random.js';
import { VirtualClock } from '../replay/clock/virtual.js';
import type { RecordedMachine } from '../replay/trace-header.js';

/** @param isDebugged a debugger drives the machine, so that its idle times are skipped. */
export function liveSource(machine: RecordedMachine, isDebugged = false): LiveSource {
  switch (machine.clock) {
    case 'virtual':
      return new VirtualClock();
    case 'random':
      return new RandomClock(machine.seed);
    case 'host':
      return new HostClock({
        now: () => Math.floor(performance.now() * 1e6),
        epochSeconds: Math.floor(Date.now() / 1000),
        skipsIdle: isDebugged,
      });
  }
}
