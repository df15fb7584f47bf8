import assert from 'node:assert/strict';

import { errorIn } from '../../../../src/instrumentation/clients/mongodb/attributes.ts';

describe('What a reply of mongodb contains about an error', () => {
  const insert = { insert: 'things' };
  const failed = { writeErrors: [{ code: 11_000 }] };

  it('is the first error of a write', () => {
    assert.deepEqual(errorIn(insert, failed), { code: 11_000 });
    assert.deepEqual(errorIn(insert, { toObject: () => failed }), { code: 11_000 });
  });

  it('is nothing for what does not write', () => {
    assert.equal(errorIn({ find: 'things' }, failed), undefined);
  });

  it('is nothing where the reply cannot be read', () => {
    const toObject = (): never => {
      throw new Error('planted');
    };
    assert.equal(errorIn(insert, { toObject }), undefined);
    assert.equal(errorIn(insert, undefined), undefined);
    assert.equal(errorIn(insert, { toObject: () => null }), undefined);
  });
});
