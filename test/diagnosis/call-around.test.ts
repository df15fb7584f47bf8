import assert from 'node:assert/strict';

import { callAround } from '../../src/diagnosis/call-around.ts';

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

describe('callAround', () => {
  it('finds the call that a callback was given to', () => {
    assert.deepEqual(callAround(SOURCE, 7, 11), { method: 'query', receiver: 'pool', line: 5 });
    assert.deepEqual(callAround(SOURCE, 6, 18), { method: 'query', receiver: 'pool', line: 5 });
    assert.deepEqual(callAround(SOURCE, 4, 3), { method: 'get', receiver: 'app', line: 3 });
    assert.deepEqual(callAround(SOURCE, 11, 42), { method: 'push', receiver: 'queue', line: 11 });
  });

  it('finds none outside of all callbacks, or beyond the end', () => {
    assert.equal(callAround(SOURCE, 12, 3), undefined);
    assert.equal(callAround(SOURCE, 99, 1), undefined);
  });
});
