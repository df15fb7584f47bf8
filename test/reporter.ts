import { relative } from 'node:path';

import mocha from 'mocha';

import { messageOf } from '../src/base/errors.ts';
import { skippedServices } from './support/services.ts';

/** Files that take longer are named at the end, the longest first. */
const SLOW_SECONDS = 5;

/**
 * Mocha's `spec`, which then names the slow files, what was skipped for want of a server and what failed, a
 * line each, and counts in one line.
 */
export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    const failed: string[] = [];
    runner.on(mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: unknown) => {
      const [why = ''] = messageOf(error).split('\n');
      failed.push(`FAILED on Node ${process.versions.node}: ${test.fullTitle()}: ${why}`);
    });
    const seconds = new Map<string, number>();
    let began = performance.now();
    runner.on(mocha.Runner.constants.EVENT_SUITE_END, ({ parent, file = '' }) => {
      if (!parent?.root) return;
      const now = performance.now();
      const path = relative('.', file);
      seconds.set(path, (seconds.get(path) ?? 0) + (now - began) / 1000);
      began = now;
    });
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      for (const [file, took] of [...seconds].toSorted(([, a], [, b]) => b - a)) {
        if (took >= SLOW_SECONDS) console.log(`SLOW: ${took.toFixed(0)} s ${file}`);
      }
      for (const line of skippedServices()) console.log(`SKIPPED: ${line}`);
      for (const line of failed) console.log(line);
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
}
