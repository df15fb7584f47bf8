import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { PrivateFields } from '../../src/carry/private-fields.ts';

class Marked extends PrivateFields {
  #mark: string | undefined;

  static hold(object: object, mark: string): void {
    if (#mark in object) object.#mark = mark;
    else new Marked(object).#mark = mark;
  }

  static markOf(object: object): string | undefined {
    return #mark in object ? object.#mark : undefined;
  }
}

describe('a private field on an object of other code', () => {
  it('is found on that object and on no other', () => {
    const promise = Promise.resolve();
    Marked.hold(promise, 'a');
    assert.equal(Marked.markOf(promise), 'a');
    assert.equal(Marked.markOf(Promise.resolve()), undefined);
    assert.equal(Marked.markOf(Object.create(promise) as object), undefined);
  });

  it('can be set again', () => {
    const object = {};
    Marked.hold(object, 'a');
    Marked.hold(object, 'b');
    assert.equal(Marked.markOf(object), 'b');
  });

  it('changes nothing that the application could see', () => {
    const object = { text: 'select 1' };
    const prototype: unknown = Object.getPrototypeOf(object);
    Marked.hold(object, 'secret');
    assert.deepEqual(Reflect.ownKeys(object), ['text']);
    assert.equal(Object.getPrototypeOf(object), prototype);
    assert.equal(inspect(object, { showHidden: true }), "{ text: 'select 1' }");
    assert.deepEqual(structuredClone(object), { text: 'select 1' });
    assert.equal(Marked.markOf({ ...object }), undefined);
  });
});
