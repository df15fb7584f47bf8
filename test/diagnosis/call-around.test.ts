import assert from 'node:assert/strict';

import { callsAround } from '../../src/diagnosis/call-around.ts';

const SOURCE = `import pool from './pool.js';
const text = "a ( that is none"; // nor (this
app.get('/orders', (req, res) => {
  if (req.url) {
    pool.query(sql, (error, rows) => {
      if (error) throw error;
      res.end(rows);
    });
  }
});
queue?.push(async function job() { await work(); });
plain();
`;

describe('callsAround', () => {
  it('finds the call that a callback was given to', () => {
    const query = { method: 'query', receiver: 'pool', line: 5, column: 5, isOnce: false };
    assert.deepEqual(callsAround(SOURCE, 7, 11)[0], query);
    assert.deepEqual(callsAround(SOURCE, 6, 18)[0], query);
    const get = { method: 'get', receiver: 'app', line: 3, column: 1, isOnce: true };
    assert.deepEqual(callsAround(SOURCE, 4, 3)[0], get);
    const push = { method: 'push', receiver: 'queue', line: 11, column: 1, isOnce: true };
    assert.deepEqual(callsAround(SOURCE, 11, 42)[0], push);
  });

  it('knows a call that was made once from one in a function', () => {
    for (const [before, isOnce] of [
      ['const runner =', true],
      ['const routes = { a: 1, b:', true],
      ['const handler = (req, res) =>', false],
      ['export function handle() {\n', false],
      ['class Handler {\n  async handle(req) {\n', false],
    ] as const) {
      const text = `${before} queue(() => {\n work();`;
      assert.equal(callsAround(text, 4, 1)[0]?.isOnce, isOnce, before);
    }
  });

  it('finds none outside of all callbacks, or beyond the end', () => {
    assert.deepEqual(callsAround(SOURCE, 12, 3), []);
    assert.deepEqual(callsAround(SOURCE, 99, 1), []);
  });
});
