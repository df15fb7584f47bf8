import assert from 'node:assert/strict';

import { PendingFlushes } from '../../../src/export/sender/pending-flushes.ts';
import type { DrainLimits } from '../../../src/export/sender/sender-options.ts';

const EXIT: DrainLimits = { stallMillis: 600, totalMillis: 5000, failingMillis: 0, atExit: true };
const FLUSH: DrainLimits = { ...EXIT, stallMillis: 12_000, failingMillis: 3000, atExit: false };
/** The sender looks at the clock as often. */
const LOOK = 50;

/** A drain whose clock is the test's, with spans that wait. */
class Watched {
  readonly #drains = new PendingFlushes();
  readonly #step: number;
  now = 0;
  isOver = false;

  constructor(limits: DrainLimits, isAnswered: boolean, step = LOOK) {
    this.#step = step;
    void this.#drains.begin(limits, 1, 0, isAnswered).then(() => (this.isOver = true));
  }

  /** Looks at the clock until `millis` are over, or until the drain gives up. */
  async pass(millis: number): Promise<void> {
    for (const end = this.now + millis; this.now < end && !this.isOver; await Promise.resolve()) {
      this.now += this.#step;
      this.#drains.check(this.now, 1, false);
    }
    await Promise.resolve();
  }

  accepted(): void {
    this.#drains.onAccepted();
  }

  failed(): void {
    this.#drains.onFailure();
  }
}

describe('PendingFlushes', () => {
  it('goes on at the end of a process for as long as the collector takes spans', async () => {
    const drain = new Watched(EXIT, false);
    for (let i = 0; i < 100; i++) {
      await drain.pass(i === 0 ? 500 : 4000);
      assert.equal(drain.isOver, false, `after ${drain.now} ms`);
      drain.accepted();
    }
    await drain.pass(10_000);
    assert.equal(drain.isOver, true);
    assert.ok(drain.now <= 500 + 99 * 4000 + 5000 + LOOK, `${drain.now}`);
  });

  it('gives up sooner on a collector that has taken nothing, or failed last', async () => {
    const silent = new Watched(EXIT, false);
    await silent.pass(10_000);
    assert.ok(silent.isOver && silent.now <= 650, `${silent.now}`);
    const failing = new Watched(EXIT, true);
    failing.failed();
    await failing.pass(10_000);
    assert.ok(failing.isOver && failing.now <= 650, `${failing.now}`);
  });

  it('does not hold it against the collector that this thread did not get to run', async () => {
    const starved = new Watched(EXIT, false, 400);
    await starved.pass(2000);
    assert.equal(starved.isOver, false);
    await starved.pass(1000);
    assert.equal(starved.isOver, true);
  });

  it('ends a flush by the time it may take, whatever the collector takes', async () => {
    const drain = new Watched(FLUSH, true);
    for (let i = 0; i < 10; i++) {
      drain.accepted();
      await drain.pass(1000);
    }
    assert.ok(drain.isOver && drain.now <= 5000, `${drain.now}`);
  });
});
