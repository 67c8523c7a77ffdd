/** `tsx test/races/show.ts NAME`: what every placement of a race's event does, on each of its builds. */
import { placements, undisturbed } from './support/brute-force.js';
import { boundaryOf, experimentOf, readRace } from './support/race.js';

const race = readRace(process.argv[2]);
for (const build of [race.wrong, ...race.right]) {
  const experiment = experimentOf(race, build);
  const { outcome, output } = undisturbed(experiment);
  console.log(`\n${[build.image, ...build.options].join(' ')}: ${outcome.kind} ${output.trim()}`);
  for (const placement of placements(experiment)) {
    const { at, isOpen, isBad, outcome, output } = placement;
    const how = `${isOpen ? '' : ', held off'}${isBad ? `: ${outcome.kind} ${output.trim()}` : ''}`;
    console.log(`@${at} ${boundaryOf(placement)}${how}`);
  }
}
