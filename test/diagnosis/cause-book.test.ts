import assert from 'node:assert/strict';

import { CauseBook } from '../../src/diagnosis/cause-book.ts';
import { B, frames, observation } from './support.ts';

describe('the book of causes', () => {
  it('merges what has one cause and counts it by owner', () => {
    const book = new CauseBook();
    const key = book.add(observation());
    book.add(observation());
    book.again(key ?? '', { owner: B, spans: [] });
    book.add(observation({ stack: frames('/app/other.js:1') }));
    const [first, second, ...rest] = book.entries();
    assert.equal(rest.length, 0);
    assert.deepEqual(first?.owners, { 'GET /orders': 2, 'GET /invoice': 1 });
    assert.equal(first?.count, 3);
    assert.equal(first?.brokenSpans, 2);
    assert.equal(second?.count, 1);
  });

  it('is bounded, and counts what it leaves out', () => {
    const book = new CauseBook();
    for (let line = 0; line < 600; line++)
      book.add(observation({ stack: frames(`/app/a.js:${line}`) }));
    assert.equal(book.entries().length, 500);
    assert.equal(book.dropped, 100);
  });
});
