import assert from 'node:assert/strict';

import {
  RecordHeaderVerifier,
  signRecordHeader,
} from '../../../src/tracer/recording/signed-header.ts';

const secret = 'a secret of enough length';
const request = { method: 'GET', url: '/orders?id=4' };
const now = 1_700_000_000_000;

describe('the signed header that asks for a recording', () => {
  const sign = (over: object = {}): string =>
    signRecordHeader({ secret, now, ...request, ...over });
  const accepts = (
    header: unknown,
    over: { url?: string; method?: string; at?: number } = {},
  ): boolean =>
    new RecordHeaderVerifier(secret).accepts(
      header,
      over.method ?? request.method,
      over.url ?? request.url,
      over.at ?? now,
    );

  it('is accepted for the request it was signed for', () => {
    assert.equal(accepts(sign()), true);
  });

  it('is refused for another path, method or secret', () => {
    assert.equal(accepts(sign(), { url: '/orders?id=5' }), false);
    assert.equal(accepts(sign(), { method: 'POST' }), false);
    assert.equal(accepts(sign({ secret: 'another secret of enough length' })), false);
  });

  it('is good once in each process, which has a verifier of its own', () => {
    const header = sign();
    for (const verifier of [new RecordHeaderVerifier(secret), new RecordHeaderVerifier(secret)]) {
      assert.equal(verifier.accepts(header, request.method, request.url, now), true);
      assert.equal(verifier.accepts(header, request.method, request.url, now), false);
    }
  });

  it('is good once', () => {
    const verifier = new RecordHeaderVerifier(secret);
    const header = sign();
    assert.equal(verifier.accepts(header, request.method, request.url, now), true);
    assert.equal(verifier.accepts(header, request.method, request.url, now), false);
  });

  it('is good until its last second and not after', () => {
    assert.equal(accepts(sign({ lifetimeSeconds: 10 }), { at: now + 10_000 }), true);
    assert.equal(accepts(sign({ lifetimeSeconds: 10 }), { at: now + 10_001 }), false);
  });

  it('is refused unsigned, malformed, or with a changed lifetime', () => {
    const [version, expires, nonce, mac] = sign().split('.');
    const longer = [version, Number(expires) + 100, nonce, mac].join('.');
    for (const header of [undefined, '', '1', 'v1', 'v1.1.1.1', longer, ['v1'], 'x'.repeat(500)]) {
      assert.equal(accepts(header), false, String(header));
    }
  });

  it('asks for a long enough secret and a lifetime of at most an hour, without showing the secret', () => {
    assert.throws(() => sign({ secret: 'short secret!!!' }), { code: 'ERR_OPTION' });
    assert.doesNotThrow(() => sign({ secret: 'just long enough' }));
    try {
      sign({ secret: 'hunter2' });
    } catch (error) {
      assert.equal(String(error).includes('hunter2'), false);
    }
    assert.throws(() => sign({ lifetimeSeconds: 3601 }), /lifetime/);
    assert.doesNotThrow(() => sign({ lifetimeSeconds: 3600 }));
  });
});
