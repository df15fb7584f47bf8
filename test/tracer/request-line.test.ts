import assert from 'node:assert/strict';

import { ResourceOwner } from '../../src/tracer/owner.ts';
import { fitLine, requestLine } from '../../src/tracer/request-line.ts';

describe('the line of a request', () => {
  const split = { totalMillis: 58.94, runMillis: 0.3, ioMillis: 6.4, loopMillis: 52.1 };
  const owner = new ResourceOwner('GET /orders', 0);
  const blockedBy = { label: 'GET /report', millis: 50.6, owner: undefined };
  const line = requestLine({ label: owner.label, owner, split: { ...split, blockedBy } });

  it('shows where the time went and who held the loop', () => {
    assert.equal(
      line,
      'GET /orders  58.9 ms: running 0.3, I/O 6.4, loop 52.1 (held by GET /report 50.6)',
    );
  });

  it('calls each request by the route that became known after its end', () => {
    const [request, blocker] = [
      new ResourceOwner('GET /users/{n}', 0),
      new ResourceOwner('GET /{n}', 0),
    ];
    const held = { label: blocker.label, millis: 5, owner: blocker };
    const report = { label: request.label, owner: request, split: { ...split, blockedBy: held } };
    request.label = 'GET /users/:id';
    blocker.label = 'GET /:report';
    assert.match(
      requestLine(report),
      /^GET \/users\/:id {2}58\.9 ms: .* \(held by GET \/:report 5\.0\)$/,
    );
  });

  it('shows what failed, and a path that no route matched beside the name', () => {
    const report = (over: Partial<ResourceOwner>): string => {
      const request = Object.assign(new ResourceOwner('GET /{n}', 0), over);
      const whole = { ...split, blockedBy: undefined };
      return requestLine({ label: request.label, owner: request, split: whole });
    };
    assert.match(report({ statusCode: 200 }), /^GET \/\{n\} {2}58\.9 ms/);
    assert.match(report({ statusCode: 500 }), /^GET \/\{n\} ERROR 500 {2}58\.9 ms/);
    assert.match(report({ failed: true }), /^GET \/\{n\} ERROR {2}58\.9 ms/);
    assert.match(report({ failed: true, statusCode: 200 }), /^GET \/\{n\} ERROR 200 {2}58\.9 ms/);
    assert.match(report({ statusCode: 404 }), /^GET \/\{n\} 404 {2}58\.9 ms/);
    const long = report({ label: `GET /${'long'.repeat(30)}`, failed: true, statusCode: 503 });
    for (const part of fitLine(long, 80)) assert.ok(`clew: ${part}`.length <= 80, part);
  });

  it('is broken where the terminal is too narrow, and nowhere else', () => {
    const width = 'clew: '.length + line.length;
    assert.deepEqual(fitLine(line, undefined), [line]);
    assert.deepEqual(fitLine(line, width), [line]);
    const [first = '', second = ''] = fitLine(line, width - 1);
    assert.match(first, /I\/O 6\.4,$/);
    assert.match(second, /^ {2}loop 52\.1/);
  });
});
