import assert from 'node:assert/strict';

import {
  KNOWN_METHODS,
  readKnownMethods,
  showMethod,
} from '../../../src/instrumentation/http/known-methods.ts';

describe('known methods', () => {
  it('shows those of the conventions by their names', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']) {
      assert.deepEqual(showMethod(method), { method, original: undefined, name: method });
    }
    assert.equal(showMethod('PATCH').name, 'PATCH');
    assert.equal(showMethod('QUERY').name, 'QUERY');
  });

  it('shows any other as _OTHER, with the original cut', () => {
    assert.deepEqual(showMethod('PURGE'), { method: '_OTHER', original: 'PURGE', name: 'HTTP' });
    assert.equal(showMethod('get').method, '_OTHER');
    assert.equal(showMethod('x'.repeat(1000)).original?.length, 64);
  });

  it('reads the list that replaces the known ones', () => {
    assert.equal(readKnownMethods({}), KNOWN_METHODS);
    const variable = 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS';
    assert.equal(readKnownMethods({ [variable]: ' , ' }), KNOWN_METHODS);
    const known = readKnownMethods({ [variable]: 'GET, PURGE' });
    assert.equal(showMethod('PURGE', known).method, 'PURGE');
    assert.equal(showMethod('POST', known).method, '_OTHER');
  });
});
