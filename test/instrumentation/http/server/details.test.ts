import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import type { Attributes, Span, SpanStatusCode } from '@opentelemetry/api';
import * as stable from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';

import * as names from '../../../../src/instrumentation/http/attributes.ts';
import { isSecretHeader } from '../../../../src/instrumentation/http/captured-headers.ts';
import { matcherOf, pathOf, queryOf } from '../../../../src/instrumentation/http/path-patterns.ts';
import { SERVER_OPTIONS } from '../../../../src/instrumentation/http/server/server-config.ts';
import {
  addExceptionEvent,
  messageShownOf,
} from '../../../../src/instrumentation/recorder/exception-event.ts';

const DOCS = readFileSync(new URL('../../../../../docs/http.md', import.meta.url), 'utf8');

describe('the attributes of HTTP', () => {
  it('are named as the conventions name them', () => {
    const known = { ...incubating, ...stable } as Record<string, unknown>;
    for (const [name, value] of Object.entries(names)) {
      assert.equal(value, known[`ATTR_${name}`], name);
    }
  });

  it('are in the documentation, and so are the options', () => {
    for (const value of Object.values(names)) assert.ok(DOCS.includes(`\`${value}\``), value);
    for (const option of SERVER_OPTIONS) assert.ok(DOCS.includes(`| \`${option}\` `), option);
  });
});

describe('path patterns', () => {
  const cases: [pattern: string, matches: string[], others: string[]][] = [
    ['/healthz', ['/healthz'], ['/healthz/', '/Healthz', '/a/healthz', '']],
    ['/internal/*', ['/internal/', '/internal/a/b'], ['/internal', '/x/internal/a']],
    ['*/ping', ['/ping', '/a/ping'], ['/pings', 'ping']],
    ['/a/*/z', ['/a/b/z', '/a//z', '/a/b/c/z'], ['/a/z', '/a/z/']],
    ['/*a*a*', ['/aa', '/xaxax'], ['/a']],
    ['*', ['/', '', '*'], []],
    ['/a.b', ['/a.b'], ['/axb']],
  ];
  for (const [pattern, matches, others] of cases) {
    it(`match as \`${pattern}\` describes`, () => {
      const test = matcherOf([pattern]);
      assert.ok(test);
      for (const path of matches) assert.equal(test(path), true, path);
      for (const path of others) assert.equal(test(path), false, path);
    });
  }

  it('are none where none are given', () => assert.equal(matcherOf(['']), undefined));

  it('cost no more than the length of a hostile path', () => {
    const test = matcherOf(['*a*a*a*a*a*a*a*a*a*b']);
    const startedAt = performance.now();
    assert.equal(test?.('a'.repeat(100_000)), false);
    assert.ok(performance.now() - startedAt < 1000);
  });

  it('see the path and the query of every form of a target', () => {
    const targets: [string, string, string | undefined][] = [
      ['/a/b?c=d', '/a/b', 'c=d'],
      ['/', '/', undefined],
      ['/a?', '/a', undefined],
      ['/a?b?c', '/a', 'b?c'],
      ['http://host:80/a?b', '/a', 'b'],
      ['HTTP://host', '', undefined],
      ['*', '*', undefined],
      ['//a/b', '//a/b', undefined],
    ];
    for (const [target, path, query] of targets) {
      assert.deepEqual([pathOf(target), queryOf(target)], [path, query], target);
    }
  });
});

describe('headers that may be captured', () => {
  it('are those that carry no secret', () => {
    for (const name of [
      'Authorization',
      'cookie',
      'X-Api-Key',
      'x-apikey',
      'x-access-token',
      'jwt',
    ]) {
      assert.equal(isSecretHeader(name), true, name);
    }
    for (const name of ['x-tenant', 'content-type', 'x-request-id', 'accept']) {
      assert.equal(isSecretHeader(name), false, name);
    }
  });
});

describe('the message of an error on the span of a request', () => {
  const span = {
    isRecording: () => true,
    addEvent: (_name: string, _attributes: Attributes) => undefined,
    setStatus: (_status: { code: SpanStatusCode }) => undefined,
  } as unknown as Span;

  it('is its own', () => {
    assert.equal(messageShownOf(new Error('not found: 42')), 'not found: 42');
    assert.equal(messageShownOf('a text'), 'a text');
    assert.equal(messageShownOf({}), undefined);
    assert.equal(messageShownOf(null), undefined);
    assert.equal(messageShownOf(new Error('x'.repeat(2000)))?.length, 1000);
  });

  it('is what the span of an operation showed, also of an error around it', () => {
    const error = new Error('duplicate entry secret@example.com');
    addExceptionEvent(span, error, 'duplicate entry ?');
    assert.equal(messageShownOf(error), 'duplicate entry ?');
    const wrapper = new Error(`failed: ${error.message}`, { cause: error });
    assert.equal(messageShownOf(new Error('outer', { cause: wrapper })), 'duplicate entry ?');
  });

  it('is none where the operation showed none', () => {
    const error = new Error('secret');
    addExceptionEvent(span, error);
    assert.equal(messageShownOf(error), '');
  });

  it('survives a circle of causes, and an error that cannot be read', () => {
    const error = new Error('a circle');
    error.cause = error;
    assert.equal(messageShownOf(error), 'a circle');
    const hostile = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('no');
      },
    });
    assert.equal(messageShownOf(hostile), undefined);
  });
});
