import mocha from 'mocha';

import { skippedServices } from './support/services.ts';

/** Mocha's `spec`, which then names what was skipped for want of a server, and counts in one line. */
export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      for (const line of skippedServices()) console.log(`SKIPPED: ${line}`);
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
}
