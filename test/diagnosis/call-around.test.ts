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
    assert.deepEqual(callsAround(SOURCE, 7, 11)[0], { method: 'query', receiver: 'pool', line: 5 });
    assert.deepEqual(callsAround(SOURCE, 6, 18)[0], { method: 'query', receiver: 'pool', line: 5 });
    assert.deepEqual(callsAround(SOURCE, 4, 3)[0], { method: 'get', receiver: 'app', line: 3 });
    assert.deepEqual(callsAround(SOURCE, 11, 42)[0], {
      method: 'push',
      receiver: 'queue',
      line: 11,
    });
  });

  it('finds none outside of all callbacks, or beyond the end', () => {
    assert.deepEqual(callsAround(SOURCE, 12, 3), []);
    assert.deepEqual(callsAround(SOURCE, 99, 1), []);
  });
});
