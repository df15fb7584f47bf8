import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { isKind, JaegerQuery, kinshipFaultsOf, type JaegerSpan } from '../support/jaeger-query.ts';
import { runNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';

const FOLDER = fileURLToPath(new URL('../../../examples/orders/', import.meta.url));
const CHOICES = ['link', 'child'] as const;
const ORDERS = 3;
/** The request, `send orders` and what that sends to Redis. */
const SPANS_OF_REQUEST = 3;
/** `process orders`, and its statements: the last of the orders is rolled back. */
const SPANS_OF_JOB = { 'order placed': 5, 'order failed': 4 };

interface LogLine {
  name: string;
  job: string;
  msg: string;
  trace_id: string;
  span_id: string;
}

describe('the orders example', function () {
  this.timeout(120_000);
  let servers: Record<string, string>;

  before(async function () {
    servers = {
      REDIS_URL: await requireService(this, 'redis'),
      DATABASE_URL: await requireService(this, 'postgresql'),
    };
  });

  it('passes its own test, as one trace and as a linked pair', async () => {
    const runs = CHOICES.map((choice) =>
      runNode(['--import', 'clew/testing', '--test', 'orders.test.js'], {
        cwd: FOLDER,
        env: { ...servers, CLEW_CONSUMER_SPAN: choice },
      }),
    );
    for (const { code, stdout, stderr } of await Promise.all(runs)) {
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /\bpass 2\b/);
    }
  });

  it('reports servers that cannot be reached', async () => {
    const env = { ...servers, DATABASE_URL: 'postgresql://127.0.0.1:1/none' };
    const { code, stderr } = await runNode(['start.js'], { cwd: FOLDER, env });
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot run the shop: .*ECONNREFUSED.*\nIt needs PostgreSQL/);
  });

  describe('in a real Jaeger', () => {
    let jaeger: JaegerQuery;
    /** The log lines of each choice, by process. */
    let lines: Record<(typeof CHOICES)[number], { server: LogLine[]; worker: LogLine[] }>;

    before(async function () {
      const url = new URL(await requireService(this, 'jaeger'));
      const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      jaeger = new JaegerQuery(url.origin);
      const runs = CHOICES.map(async (choice) => {
        const { code, stdout, stderr } = await runNode(['start.js'], {
          cwd: FOLDER,
          env: {
            ...servers,
            QUEUE: `orders-${choice}-${process.pid}`,
            CLEW_CONSUMER_SPAN: choice,
            OTEL_EXPORTER_OTLP_ENDPOINT:
              endpoint ?? `http://${url.hostname}:${url.searchParams.get('otlp') ?? '4318'}`,
          },
        });
        assert.deepEqual([code, stderr], [0, ''], stdout);
        const all = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as LogLine);
        const of = (name: string): LogLine[] => all.filter((line) => line.name === name);
        return [choice, { server: of('server'), worker: of('worker') }] as const;
      });
      lines = Object.fromEntries(await Promise.all(runs)) as typeof lines;
    });

    /** The request and the job of each order, by their log lines, with the traces of both. */
    async function ordersOf(choice: (typeof CHOICES)[number]): Promise<
      {
        sent: JaegerSpan;
        processed: JaegerSpan;
        requestTrace: Map<string, JaegerSpan>;
        jobTrace: Map<string, JaegerSpan>;
      }[]
    > {
      const { server, worker } = lines[choice];
      assert.deepEqual([server.length, worker.length], [ORDERS, ORDERS]);
      return Promise.all(
        server.map(async ({ job, trace_id: requestId, span_id: requestSpanId }) => {
          const line = worker.find((each) => each.job === job)!;
          const { trace_id: jobId, span_id: jobSpanId } = line;
          const ofJob = SPANS_OF_JOB[line.msg as keyof typeof SPANS_OF_JOB];
          const isOne = requestId === jobId;
          const ofRequest = SPANS_OF_REQUEST + (isOne ? ofJob : 0);
          const requestTrace = await jaeger.waitForTrace(requestId, ofRequest);
          const jobTrace = isOne ? requestTrace : await jaeger.waitForTrace(jobId, ofJob);
          assert.ok(isKind(requestTrace.get(requestSpanId)!, 2, 'SERVER'));
          const processed = jobTrace.get(jobSpanId)!;
          assert.ok(isKind(processed, 5, 'CONSUMER'));
          const sent = [...requestTrace.values()].find((span) => isKind(span, 4, 'PRODUCER'));
          assert.equal(sent?.parentSpanId, requestSpanId);
          return { sent, processed, requestTrace, jobTrace };
        }),
      );
    }

    it('is one trace of both processes', async () => {
      for (const { sent, processed, requestTrace } of await ordersOf('child')) {
        assert.equal(processed.parentSpanId, sent.spanId);
        assert.deepEqual(kinshipFaultsOf(requestTrace), []);
        // A job ends after its producer's span, which Jaeger takes for a wrong clock.
        const warnings = await jaeger.warningsOf(sent.traceId);
        assert.deepEqual(
          warnings.filter((warning) => !/clock skew adjustment disabled/.test(warning)),
          [],
        );
      }
    });

    it('is a pair of traces with a link', async () => {
      for (const { sent, processed, requestTrace, jobTrace } of await ordersOf('link')) {
        assert.notEqual(processed.traceId, sent.traceId);
        assert.equal(processed.parentSpanId, undefined);
        assert.deepEqual(
          processed.links?.map(({ traceId, spanId }) => [traceId, spanId]),
          [[sent.traceId, sent.spanId]],
        );
        assert.deepEqual(kinshipFaultsOf(requestTrace), []);
        const queries = [...jobTrace.values()].filter((span) => isKind(span, 3, 'CLIENT'));
        assert.ok(queries.length >= 3);
        for (const query of queries) assert.equal(query.parentSpanId, processed.spanId);
      }
    });
  });
});
