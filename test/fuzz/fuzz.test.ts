import { runTarget } from './run-target.ts';
import { TARGETS } from './targets.ts';

/* `npm run fuzz` runs these for longer and with seeds of their own. */
const SEED = 20261130;
const RUNS = 120;

describe('each parser of input from outside', () => {
  for (const [name, target] of Object.entries(TARGETS)) {
    it(`reads damaged input or refuses it clearly: ${name}`, async () => {
      await runTarget(target, { seed: SEED, numRuns: RUNS });
    });
  }
});
