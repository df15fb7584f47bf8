import mocha from 'mocha';

import { messageOf } from '../src/base/errors.ts';
import { skippedServices } from './support/services.ts';

/**
 * Mocha's `spec`, which then names what was skipped for want of a server and what failed, a line each, and
 * counts in one line.
 */
export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    const failed: string[] = [];
    runner.on(mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: unknown) => {
      const [why = ''] = messageOf(error).split('\n');
      failed.push(`FAILED on Node ${process.versions.node}: ${test.fullTitle()}: ${why}`);
    });
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      for (const line of skippedServices()) console.log(`SKIPPED: ${line}`);
      for (const line of failed) console.log(line);
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
}
