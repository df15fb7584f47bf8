import assert from 'node:assert/strict';

import { BoundedMap } from '../../src/tracer/bounded-map.ts';

describe('BoundedMap', () => {
  it('lets the oldest entry give way, and only when it is full', () => {
    const map = new BoundedMap<string>(2);
    map.set(1, 'a');
    map.set(2, 'b');
    assert.deepEqual([map.get(1), map.get(2)], ['a', 'b']);
    map.set(3, 'c');
    assert.deepEqual([map.get(1), map.get(2), map.get(3)], [undefined, 'b', 'c']);
    assert.equal(map.size, 2);
  });

  it('replaces a value without making room for it', () => {
    const map = new BoundedMap<string>(2);
    map.set(1, 'a');
    map.set(2, 'b');
    map.set(1, 'z');
    assert.deepEqual([map.get(1), map.get(2), map.size], ['z', 'b', 2]);
  });

  it('never grows beyond its bound, whatever is deleted in between', () => {
    const map = new BoundedMap<number>(100);
    for (let i = 0; i < 100_000; i++) {
      map.set(i, i);
      if (i % 3 === 0) map.delete(i - 1);
    }
    assert.ok(map.size <= 100);
    map.clear();
    assert.equal(map.size, 0);
    map.set(1, 1);
    assert.equal(map.has(1), true);
  });
});
