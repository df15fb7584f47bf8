import assert from 'node:assert/strict';

import { WorkOwner } from '../../src/tracer/owner.ts';
import { fitLine, requestLine } from '../../src/tracer/request-line.ts';

describe('the line of a request', () => {
  const split = { totalMillis: 58.94, runMillis: 0.3, ioMillis: 6.4, loopMillis: 52.1 };
  const owner = new WorkOwner('GET /orders', 0);
  const blockedBy = { label: 'GET /report', millis: 50.6, owner: undefined };
  const line = requestLine({ label: owner.label, owner, split: { ...split, blockedBy } });

  it('says where the time went and who held the loop', () => {
    assert.equal(
      line,
      'GET /orders  58.9 ms: running 0.3, waiting for I/O 6.4, loop busy with others 52.1 (GET /report 50.6)',
    );
  });

  it('is broken where the terminal is too narrow, and nowhere else', () => {
    const width = 'clew: '.length + line.length;
    assert.deepEqual(fitLine(line, undefined), [line]);
    assert.deepEqual(fitLine(line, width), [line]);
    const [first = '', second = ''] = fitLine(line, width - 1);
    assert.match(first, /I\/O 6\.4,$/);
    assert.match(second, /^ {2}loop busy with others/);
  });
});
