/** guest/window three ways, the clock of a host that is not always equally fast. */
import { HostClock } from '../../src/replay/clock/host.js';
import { claimThreeWays } from './support/three-ways.js';

const NANOSECONDS_PER_STEP = 20;

claimThreeWays('host', (machine) => {
  let looks = 0;
  const now = (): number => {
    looks += 1;
    return machine.cpu.instant * NANOSECONDS_PER_STEP + (looks % 7) * 5000;
  };
  return new HostClock({ now, epochSeconds: 1_700_000_000, skipsIdle: true });
});
