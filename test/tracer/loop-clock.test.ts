import assert from 'node:assert/strict';

import { LoopClock, type Split } from '../../src/tracer/loop-clock.ts';
import { QUIET, ResourceOwner } from '../../src/tracer/owner.ts';

describe('LoopClock', () => {
  let now: number;
  let idle: number;
  let clock: LoopClock;
  let mine: ResourceOwner;
  let other: ResourceOwner;

  beforeEach(() => {
    now = 1000;
    idle = 0;
    clock = new LoopClock({ now: () => now, idle: () => idle, maxHolds: 4 });
    mine = new ResourceOwner('GET /mine', now);
    other = new ResourceOwner('GET /other', now);
  });

  /** A callback of `owner` that takes `millis`. */
  const slice = (owner: ResourceOwner | undefined, millis: number, id = 7): void => {
    clock.before(id, owner);
    now += millis;
    clock.after(id);
  };
  const wait = (millis: number): void => {
    now += millis;
    idle += millis;
  };
  const parts = (split: Split): number[] => [split.runMillis, split.ioMillis, split.loopMillis];

  it('splits an interval into running, waiting for I/O and waiting for the loop', () => {
    const mark = clock.mark(mine);
    slice(mine, 3);
    wait(20);
    slice(other, 50);
    wait(6);
    slice(mine, 1);
    const split = clock.since(mark, mine);
    assert.deepEqual(parts(split), [4, 26, 50]);
    assert.equal(split.totalMillis, 80);
  });

  it('names who held the loop longest, over several stretches', () => {
    const mark = clock.mark(mine);
    slice(other, 6);
    wait(1);
    slice(new ResourceOwner('GET /third', 0), 9);
    wait(1);
    slice(other, 7);
    const { blockedBy } = clock.since(mark, mine);
    assert.equal(blockedBy?.label, 'GET /other');
    assert.equal(blockedBy?.owner, other);
    assert.equal(blockedBy?.millis, 13);
  });

  it('reports when the loop was held, the longest stretches in their order', () => {
    slice(other, 30);
    const mark = clock.mark(mine);
    slice(mine, 8);
    wait(2);
    slice(undefined, 3);
    slice(other, 6);
    wait(1);
    clock.before(9, other);
    now += 12;
    const told = (max: number) =>
      clock
        .holdsSince(mark, max)
        .map(({ start, end, owner }) => [start - mark.at, end - mark.at, owner?.label]);
    const all = [
      [0, 8, 'GET /mine'],
      [13, 19, 'GET /other'],
      [20, 32, 'GET /other'],
    ];
    assert.deepEqual(told(8), all);
    assert.deepEqual(told(2), [all[0], all[2]]);
  });

  it('counts a stretch of exactly the shortest length and none below it', () => {
    const mark = clock.mark(mine);
    slice(other, 4.999);
    wait(1);
    assert.equal(clock.since(mark, mine).blockedBy, undefined);
    slice(other, 5);
    wait(1);
    assert.equal(clock.since(mark, mine).blockedBy?.millis, 5);
  });

  it('blames no request for stretches that ended before the interval, nor the owner itself', () => {
    slice(other, 50);
    wait(1);
    const mark = clock.mark(mine);
    slice(mine, 30);
    wait(1);
    assert.equal(clock.since(mark, mine).blockedBy, undefined);
  });

  it('counts only the part of a stretch that lies in the interval', () => {
    clock.before(1, other);
    now += 30;
    const mark = clock.mark(mine);
    now += 20;
    clock.after(1);
    wait(1);
    assert.equal(clock.since(mark, mine).blockedBy?.millis, 20);
  });

  it('charges a nested callback to its own owner and what is around it to the outer one', () => {
    const mark = clock.mark(mine);
    clock.before(1, other);
    now += 2;
    clock.before(2, mine);
    now += 10;
    clock.after(2);
    now += 3;
    clock.after(1);
    const split = clock.since(mark, mine);
    assert.deepEqual(parts(split), [10, 0, 5]);
  });

  it('charges the microtasks after a shared socket to the request it called back into', () => {
    const mark = clock.mark(mine);
    clock.before(1, undefined);
    clock.before(2, mine);
    now += 1;
    clock.after(2);
    clock.after(1);
    now += 40;
    wait(10);
    slice(undefined, 0);
    assert.deepEqual(parts(clock.since(mark, mine)), [41, 10, 0]);
  });

  it('charges a gap to the request that is observed in it', () => {
    const mark = clock.mark(mine);
    slice(other, 1);
    now += 30;
    clock.observe(mine);
    assert.deepEqual(parts(clock.since(mark, mine)), [30, 0, 1]);
  });

  it('claims the callback that is running from its beginning', () => {
    const mark = clock.mark(undefined);
    clock.before(1, undefined);
    now += 4;
    clock.reserve(mine);
    now += 6;
    clock.after(1);
    assert.equal(mine.runMillis, 10);
    assert.equal(clock.since(mark, mine).totalMillis, 10);
  });

  it('treats an after whose before was not seen as nothing to undo', () => {
    clock.after(99);
    const mark = clock.mark(mine);
    clock.before(1, mine);
    now += 2;
    clock.after(98);
    now += 2;
    clock.after(1);
    assert.equal(clock.since(mark, mine).runMillis, 4);
  });

  it('recovers when inner callbacks never end', () => {
    clock.before(1, mine);
    clock.before(2, other);
    clock.before(3, other);
    clock.after(1);
    const mark = clock.mark(mine);
    wait(10);
    assert.deepEqual(parts(clock.since(mark, mine)), [0, 10, 0]);
  });

  it('names a callback without an owner by its label, and each one apart', () => {
    const mark = clock.mark(mine);
    clock.before(1, undefined);
    now += 8;
    clock.after(1, () => 'Timeout (sweep)');
    clock.before(2, undefined);
    now += 6;
    clock.after(2, () => 'Immediate');
    wait(1);
    const { blockedBy } = clock.since(mark, mine);
    assert.deepEqual([blockedBy?.label, blockedBy?.millis], ['Timeout (sweep)', 8]);
  });

  it('never blames our own work', () => {
    const mark = clock.mark(mine);
    slice(QUIET, 20);
    wait(1);
    const split = clock.since(mark, mine);
    assert.equal(split.blockedBy, undefined);
    assert.equal(split.loopMillis, 20);
  });

  it('keeps a bounded number of stretches and counts what it forgot', () => {
    for (let i = 0; i < 7; i++) {
      slice(other, 10);
      wait(1);
    }
    clock.mark(mine);
    assert.equal(clock.holdsForgotten, 3);
  });

  it('bounds its stack when callbacks never end', () => {
    for (let i = 0; i < 10_000; i++) clock.before(i, mine);
    assert.ok(clock.depth <= 2000);
  });
});
