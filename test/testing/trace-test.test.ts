import assert from 'node:assert/strict';

import { context, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { SpanCollector } from '../../src/testing/collector.ts';
import { TestTrace } from '../../src/testing/test-trace.ts';

const DB = { 'db.system.name': 'postgresql' };

describe('the assertions of a trace', () => {
  let collector: SpanCollector;
  let provider: BasicTracerProvider;
  let tracer: Tracer;

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    collector = new SpanCollector();
    provider = new BasicTracerProvider({ spanProcessors: [collector] });
    tracer = provider.getTracer('tests');
  });

  async function traceOf<T>(
    work: () => T | Promise<T>,
    settleMillis = 1000,
  ): Promise<TestTrace<T>> {
    const { result, spans } = await collector.collect(work, settleMillis);
    return new TestTrace(result, spans, !collector.hasSeenSpans);
  }

  function inSpan<T>(name: string, work: () => T): T {
    return tracer.startActiveSpan(name, (span) => {
      try {
        return work();
      } finally {
        span.end();
      }
    });
  }

  function query(text: string, attributes: Record<string, string> = DB): void {
    tracer.startSpan('SELECT t', { attributes: { ...attributes, 'db.query.text': text } }).end();
  }

  /** The error of a failed assertion, whose message must hold `parts`. */
  function failsWith(assertion: () => unknown, ...parts: string[]): void {
    assert.throws(assertion, (error: Error) => {
      assert.equal(error.name, 'AssertionError');
      for (const part of parts) assert.ok(error.message.includes(part), error.message);
      return true;
    });
  }

  it('pass for a healthy trace, chained, with the result of the work', async () => {
    const found = await traceOf(() =>
      inSpan('GET /users/:id', () => {
        query('SELECT 1');
        return 7;
      }),
    );
    found
      .hasOneRoot('GET /users/:id')
      .hasOneRoot(/^GET/)
      .hasNoOrphans()
      .hasNoErrors()
      .hasNoOpenSpans()
      .hasAtMostQueries(1)
      .hasNoRepeatedQuery()
      .hasSpan('SELECT t')
      .hasSpan({ name: /SELECT/, parent: 'GET /users/:id', attributes: DB })
      .hasNoSpan({ status: 'error' })
      .hasSpansInOrder(['GET /users/:id', 'SELECT t']);
    assert.equal(found.result, 7);
    assert.equal(found.find('SELECT t')?.scope, 'tests');
  });

  it('fail for a second root, naming both and the line that started them', async () => {
    const found = await traceOf(() => {
      inSpan('first', () => undefined);
      inSpan('second', () => undefined);
    });
    failsWith(() => found.hasOneRoot(), 'found 2', '`first`', '`second`', 'trace-test.test');
    failsWith(() => found.hasOneRoot('first'), 'found 2');
  });

  it('fail for a root of another name', async () => {
    const found = await traceOf(() => inSpan('first', () => undefined));
    failsWith(() => found.hasOneRoot('other'), 'Expected the root `other`, found `first`');
  });

  it('fail for a span whose parent was not collected, and not for a remote parent', async () => {
    const outside = tracer.startSpan('outside');
    const orphaned = await traceOf(() =>
      context.with(trace.setSpan(context.active(), outside), () => inSpan('inside', () => 0)),
    );
    failsWith(() => orphaned.hasNoOrphans(), 'The parent of `inside`', 'its parent is missing');
    failsWith(() => orphaned.hasOneRoot(), 'Expected one root, found 0');

    const remote = { ...outside.spanContext(), isRemote: true };
    const joined = await traceOf(() =>
      context.with(trace.setSpanContext(context.active(), remote), () => inSpan('in', () => 0)),
    );
    joined.hasNoOrphans().hasOneRoot('in');
  });

  it('leave out the span around the test', async () => {
    const found = await inSpan('the runner', () => traceOf(() => inSpan('work', () => 0)));
    found.hasOneRoot('work').hasNoOrphans();
  });

  it('fail for a span that failed, with its reason', async () => {
    const found = await traceOf(() => {
      const span = tracer.startSpan('pay');
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
      span.end();
    });
    failsWith(() => found.hasNoErrors(), '`pay`', 'failed: declined', 'ERROR: declined');
    found.hasSpan({ name: 'pay', status: 'error' });
  });

  it('fail for a span that does not end within the time that is waited', async () => {
    const found = await traceOf(() => void tracer.startSpan('stuck'), 1);
    failsWith(() => found.hasNoOpenSpans(), '`stuck`', 'not ended');
  });

  it('wait for spans that end after the work has settled', async () => {
    const found = await traceOf(() => {
      const span = tracer.startSpan('late');
      setImmediate(() => setImmediate(() => span.end()));
    });
    found.hasNoOpenSpans().hasSpan('late');
  });

  it('fail for one query too many, and for the same text twice, with its line', async () => {
    const found = await traceOf(() => {
      query('SELECT a FROM t WHERE id = ?');
      query('SELECT a FROM t WHERE id = ?');
      query('SELECT b FROM t');
      tracer.startSpan('acquire db').end();
    });
    found.hasAtMostQueries(3).hasNoRepeatedQuery(2);
    failsWith(() => found.hasAtMostQueries(2), 'Expected at most 2 queries, found 3');
    failsWith(
      () => found.hasNoRepeatedQuery(),
      'no query more than once, found 2 times at ',
      'trace-test.test',
      'SELECT a FROM t WHERE id = ?',
    );
  });

  it('take commands for the same whose keys differ in an id', async () => {
    const command = (text: string): void => {
      const attributes = { 'db.system.name': 'redis', 'db.query.text': text };
      tracer.startSpan('get', { attributes }).end();
    };
    const found = await traceOf(() => ['get user:1', 'get user:22', 'get total'].forEach(command));
    failsWith(() => found.hasNoRepeatedQuery(), 'found 2 times at ', 'get user:?', 'get user:22');
    const others = await traceOf(() => ['get user:1', 'get order:1'].forEach(command));
    others.hasNoRepeatedQuery();
  });

  it('fail for a missing span and show the one of that name', async () => {
    const found = await traceOf(() => query('SELECT 1'));
    failsWith(
      () => found.hasSpan({ name: 'SELECT t', attributes: { 'db.system.name': 'mysql' } }),
      'The span `SELECT t` is',
      '"db.system.name":"postgresql"',
    );
    failsWith(() => found.hasSpan('INSERT t'), 'Expected a span `INSERT t`');
    failsWith(() => found.hasNoSpan('SELECT t'), 'Expected no span `SELECT t`');
    found.hasSpan({ attributes: { 'db.query.text': /1$/, 'db.system.name': (v) => v !== 'x' } });
    failsWith(() => found.hasSpan({ attributes: { missing: /undefined/ } }), 'Expected a span');
  });

  it('refuse an expectation that no span could fail, or none could meet', async () => {
    const found = await traceOf(() => query('SELECT 1'));
    const refused: [string, () => unknown][] = [
      ['nam', () => found.hasSpan({ nam: 'SELECT t' } as never)],
      ['attribute', () => found.hasNoSpan({ attribute: { a: 1 } } as never)],
      ['CLIENT', () => found.hasNoSpan({ kind: 'CLIENT' as never })],
      ['failed', () => found.hasNoSpan({ status: 'failed' as never })],
      ['expected.parent', () => found.hasSpan({ parent: 7 as never })],
      ['expected.attributes', () => found.hasSpan({ attributes: 'a' as never })],
      ['expected', () => found.hasSpan({})],
      ['expected', () => found.hasSpan(undefined as never)],
      ['expected', () => found.hasSpansInOrder([])],
      ['expected', () => found.hasSpansInOrder('SELECT t' as never)],
      ['limit', () => found.hasAtMostQueries(NaN)],
      ['limit', () => found.hasAtMostQueries(undefined as never)],
      ['times', () => found.hasNoRepeatedQuery('a' as never)],
    ];
    for (const [named, assertion] of refused) {
      assert.throws(assertion, (error: { code: string; message: string }) => {
        assert.equal(error.code, 'ERR_OPTION', named);
        return error.message.includes(`\`${named}\``);
      });
    }
  });

  it('fail for spans in another order', async () => {
    const found = await traceOf(() => {
      inSpan('a', () => undefined);
      inSpan('b', () => undefined);
    });
    found.hasSpansInOrder(['a', 'b']);
    failsWith(
      () => found.hasSpansInOrder(['b', 'a']),
      'Expected spans in this order: `b`, `a`. There is no `a`, after `b`',
    );
    failsWith(() => found.hasSpansInOrder(['a', 'a']), 'There is no `a`, after `a`');
  });

  it('fail where no span was ever seen, for any assertion might pass then', async () => {
    const found = await traceOf(() => 1);
    for (const assertion of [
      () => found.hasNoOrphans(),
      () => found.hasNoErrors(),
      () => found.hasNoOpenSpans(),
      () => found.hasAtMostQueries(0),
      () => found.hasNoRepeatedQuery(),
      () => found.hasNoSpan('x'),
      () => found.hasSpansInOrder(['x']),
    ]) {
      failsWith(assertion, 'No span was ever collected');
    }
  });

  it('give the causes where the work has no span but the one of its name', async () => {
    await traceOf(() => inSpan('before', () => undefined));
    const cause = 'loaded before `clew/testing` have none: load it first';
    tracer = provider.getTracer('clew/testing');
    for (const found of [await traceOf(() => 1), await traceOf(() => inSpan('work', () => 1))]) {
      failsWith(() => found.hasSpan('SELECT t'), 'Expected a span', cause);
      found.hasNoSpan('SELECT t');
    }
    tracer = provider.getTracer('other');
    const found = await traceOf(() => inSpan('other', () => undefined));
    assert.throws(
      () => found.hasSpan('SELECT t'),
      ({ message }: Error) => message.includes('Expected a span') && !message.includes(cause),
    );
  });

  it('keep the spans of three pieces of work apart that run at once', async () => {
    const one = async (name: string): Promise<TestTrace> =>
      traceOf(() =>
        tracer.startActiveSpan(name, async (span) => {
          await new Promise(setImmediate);
          query(name);
          span.end();
        }),
      );
    const found = await Promise.all(['a', 'b', 'c'].map(one));
    assert.deepEqual(
      found.map((each) => each.spans.map(({ name }) => name)),
      [
        ['a', 'SELECT t'],
        ['b', 'SELECT t'],
        ['c', 'SELECT t'],
      ],
    );
    assert.deepEqual(
      found.map((each) => each.queries[0]?.attributes['db.query.text']),
      ['a', 'b', 'c'],
    );
  });

  it('show the error of the work, and collect the next piece', async () => {
    await assert.rejects(
      traceOf(() => Promise.reject(new Error('broken'))),
      /broken/,
    );
    (await traceOf(() => inSpan('next', () => 0))).hasOneRoot('next');
  });

  it('show at most a hundred lines of a tree', async () => {
    const found = await traceOf(() => {
      for (let i = 0; i < 150; i++) inSpan(`span ${i}`, () => undefined);
    });
    const lines = found.toString().split('\n');
    assert.deepEqual([lines.length, lines.at(-1)], [101, '... and 50 more spans']);
  });
});
