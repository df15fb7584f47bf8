import assert from 'node:assert/strict';

import {
  describe as describeResource,
  describeHolder,
} from '../../src/tracer/resource-description.ts';
import { templateOf } from '../../src/base/request-name.ts';

describe('describe', () => {
  it('knows what each describable type is for', () => {
    const cases: [string, object, string | undefined][] = [
      ['GETADDRINFOREQWRAP', { hostname: 'db.example' }, 'db.example'],
      ['TCPCONNECTWRAP', { address: '::1', port: 5432 }, '[::1]:5432'],
      ['TCPCONNECTWRAP', { address: '127.0.0.1', port: 5432 }, '127.0.0.1:5432'],
      ['Timeout', { _idleTimeout: 50, _repeat: null }, '50 ms'],
      ['Timeout', { _idleTimeout: 50, _repeat: 50 }, 'every 50 ms'],
      ['pg.query', { description: 'SELECT ?' }, 'SELECT ?'],
      ['PROMISE', { description: 'of the application' }, undefined],
      ['FSREQCALLBACK', {}, undefined],
    ];
    for (const [type, resource, expected] of cases) {
      assert.equal(describeResource(type, resource), expected, type);
    }
  });

  it('runs no getter of the application and survives hostile objects', () => {
    const hostile = {
      get description(): string {
        throw new Error('planted');
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    assert.equal(describeResource('QUEUE', hostile), undefined);
    assert.equal(describeResource('QUEUE', revoked.proxy), undefined);
    assert.equal(describeHolder(revoked.proxy), 'callback');
    // A plain object is named by what it is for, or not at all: "Object" tells nobody anything.
    const tick = { callback: function flush() {} };
    assert.equal(describeHolder(tick), 'process.nextTick (flush)');
    assert.equal(describeHolder({}), undefined);
  });

  it('keeps descriptions short', () => {
    assert.equal(describeResource('QUERY', { description: 'x'.repeat(200) })?.length, 200);
    assert.equal(
      describeResource('QUERY', { description: 'x'.repeat(201) })?.endsWith('...'),
      true,
    );
  });
});

describe('templateOf', () => {
  it('replaces what looks like a value and drops the query', () => {
    const cases: [string, string][] = [
      ['/', '/'],
      ['/orders/42?token=secret', '/orders/{n}'],
      ['/api/v2/users/me', '/api/v2/users/me'],
      ['/reset/9f8e7d6c-1111', '/reset/{n}'],
      ['/u/jane@example.com', '/u/{n}'],
      ['http://host:80/a', '/a'],
      ['/t/abcdefghijklmnopqrstuvwxyz', '/t/{n}'],
    ];
    for (const [url, expected] of cases) assert.equal(templateOf(url), expected);
  });
});
