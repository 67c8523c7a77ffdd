/** guest/window three ways, random clock. */
import { RandomClock } from '../../src/replay/clock/random.js';
import { claimThreeWays } from './support/three-ways.js';

claimThreeWays('random', () => new RandomClock(7));
