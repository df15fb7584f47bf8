import assert from 'node:assert/strict';

import {
  backoffMillis,
  MAX_RETRY_AFTER_MILLIS,
  outcomeOfStatus,
  parseRetryAfter,
  waitMillis,
} from '../../../src/export/sender/outcome.ts';

describe('outcomeOfStatus', () => {
  const KINDS: Record<string, number[]> = {
    unavailable: [408, 425, 429, 500, 502, 503, 504, 599],
    malformed: [400, 422],
    'too-large': [413],
    refused: [301, 307, 401, 403, 404, 405, 415],
  };
  for (const [kind, statuses] of Object.entries(KINDS)) {
    it(`takes ${statuses.join(', ')} for ${kind}`, () => {
      for (const status of statuses) assert.equal(outcomeOfStatus(status, undefined, 0).kind, kind);
    });
  }
});

describe('parseRetryAfter', () => {
  it('reads seconds and dates, and nothing else', () => {
    const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
    assert.equal(parseRetryAfter('30', now), 30_000);
    assert.equal(parseRetryAfter('0', now), 0);
    assert.equal(parseRetryAfter('Wed, 21 Oct 2026 07:28:05 GMT', now), 5000);
    assert.equal(parseRetryAfter('Wed, 21 Oct 2026 07:27:00 GMT', now), 0);
    assert.equal(parseRetryAfter('soon', now), undefined);
    assert.equal(parseRetryAfter(undefined, now), undefined);
  });
});

describe('waitMillis', () => {
  it('does what the collector asks for, and asks again before a year is over', () => {
    const backoff = { initialMillis: 100, maxMillis: 1000 };
    assert.equal(waitMillis(1, 30_000, backoff), 30_000);
    const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
    for (const value of ['31536000', '9'.repeat(400), 'Wed, 21 Oct 2099 07:28:00 GMT']) {
      const asked = parseRetryAfter(value, now);
      assert.equal(waitMillis(1, asked, backoff), MAX_RETRY_AFTER_MILLIS);
    }
    assert.ok(waitMillis(1, undefined, backoff) <= 100);
  });
});

describe('backoffMillis', () => {
  it('doubles up to its limit, and spreads over the upper half', () => {
    const backoff = { initialMillis: 100, maxMillis: 1000 };
    for (const [failures, full] of [
      [1, 100],
      [2, 200],
      [4, 800],
      [5, 1000],
      [5000, 1000],
    ] as const) {
      for (let i = 0; i < 20; i++) {
        const wait = backoffMillis(failures, backoff);
        assert.ok(wait >= full / 2 && wait <= full, `${failures}: ${wait}`);
      }
    }
  });
});
