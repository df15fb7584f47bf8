import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { attachWork, detachWork, workOf } from '../../src/carry/unit-of-work.ts';

describe("what is attached to a library's own unit of work", () => {
  it('is found on that unit and on no other', () => {
    const unit = { text: 'select 1' };
    const work = {};
    attachWork(unit, work);
    assert.equal(workOf(unit), work);
    assert.equal(workOf({ text: 'select 1' }), undefined);
    assert.equal(workOf({ ...unit }), undefined);
    assert.equal(workOf(Object.create(unit) as object), undefined);
  });

  it('takes the place of what was attached before', () => {
    const unit = {};
    const second = {};
    attachWork(unit, {});
    attachWork(unit, second);
    assert.equal(workOf(unit), second);
  });

  it('is gone once it is detached, and nothing happens where nothing was', () => {
    const unit = {};
    detachWork(unit);
    attachWork(unit, {});
    detachWork(unit);
    assert.equal(workOf(unit), undefined);
  });

  it('is not seen by the application, on a frozen unit neither', () => {
    const unit = Object.freeze({ text: 'select 1' });
    attachWork(unit, { secret: true });
    assert.deepEqual(Reflect.ownKeys(unit), ['text']);
    assert.equal(inspect(unit, { showHidden: true }), "{ text: 'select 1' }");
  });
});
