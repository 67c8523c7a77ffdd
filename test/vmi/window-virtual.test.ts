/** guest/window three ways, virtual clock. */
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { claimThreeWays } from './support/three-ways.js';

claimThreeWays('virtual', () => new VirtualClock());
