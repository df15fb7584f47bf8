import assert from 'node:assert/strict';

import { SpanKind } from '@opentelemetry/api';

import { run, type Subject } from './support/run.ts';

/** The official instrumentations of frameworks, each with its framework. */
const OFFICIAL: readonly (Subject & { path: string; name: string; className: string })[] = [
  {
    folder: 'official-express-5.3.0',
    packages: ['express@5.3.0', '@opentelemetry/instrumentation-express@0.71.1'],
    modules: { express: 'express' },
    application: 'express.cjs',
    path: '/api/v1/tenants/acme/users/7/orders/8',
    name: 'GET /api/v1/tenants/:tenant/users/:user/orders/:order',
    className: 'ExpressInstrumentation',
  },
  {
    folder: 'official-koa-3.3.0',
    packages: ['koa@3.3.0', '@koa/router@15.7.0', '@opentelemetry/instrumentation-koa@0.71.0'],
    modules: { koa: 'koa', router: '@koa/router' },
    application: 'koa.cjs',
    path: '/users/7',
    name: 'GET /users/:id',
    className: 'KoaInstrumentation',
  },
];

describe('official instrumentations of frameworks', function () {
  this.timeout(120_000);

  for (const way of ['given to start', 'registered by hand'] as const) {
    for (const { path, name, className, ...subject } of OFFICIAL) {
      it(`work beside clew's: ${className}, ${way}`, async () => {
        const library = subject.packages.at(-1)?.replace(/@[\d.]+$/, '') ?? '';
        const { answers, stderr } = await run(subject, {
          asked: [{ path }],
          env: { OFFICIAL: `${library}:${className}`, OFFICIAL_WAY: way },
        });
        const [answer] = answers;
        assert.equal(answer?.span?.name, name);
        assert.equal(answer?.serverSpans, 1);
        assert.deepEqual(answer?.astray, []);
        // Those of middlewares and handlers are what it was brought for.
        assert.ok((answer?.others.length ?? 0) > 0);
        assert.doesNotMatch(stderr ?? '', /instrumented twice/);
      });
    }
  }

  for (const way of ['given to start', 'registered by hand'] as const) {
    it(`of gRPC makes the spans of calls in place of clew's, ${way}, and one line reports it`, async () => {
      const subject: Subject = {
        folder: 'official-grpc-0.223.0-api-1.9.1',
        packages: [
          '@grpc/grpc-js@1.14.7',
          '@opentelemetry/instrumentation-grpc@0.223.0',
          // The one that the tests have: the trace is passed on by it.
          '@opentelemetry/api@1.9.1',
        ],
        modules: { grpc: '@grpc/grpc-js' },
        application: 'grpc.cjs',
      };
      const { answers, looks, stderr } = await run(subject, {
        asked: [{ path: '/Get', times: 3 }, { path: '/Fail' }, { path: '/Upload' }],
        env: {
          OFFICIAL: '@opentelemetry/instrumentation-grpc:GrpcInstrumentation',
          OFFICIAL_WAY: way,
          OTEL_LOG_LEVEL: 'debug',
        },
      });
      const calls = looks as { name: string; kind: number; trace: string; scope: string }[];
      for (const [index, answer] of answers.entries()) {
        assert.deepEqual(answer.astray, []);
        const mine = calls.filter(({ trace }) => trace === String(index + 1).padStart(32, '0'));
        assert.deepEqual(
          mine
            .map(({ kind, scope }) => [kind, scope])
            .toSorted(([a], [b]) => Number(a) - Number(b)),
          [
            [SpanKind.SERVER, '@opentelemetry/instrumentation-grpc'],
            [SpanKind.CLIENT, '@opentelemetry/instrumentation-grpc'],
          ],
          JSON.stringify(mine),
        );
      }
      const lines = stderr?.match(/spans of grpc are created by your @opentelemetry\/\S+grpc/g);
      assert.equal(lines?.length, 1, stderr);
    });
  }

  it('get routes, handlers and errors on the spans of an HttpInstrumentation', async () => {
    const packages = ['express@5.3.0', '@opentelemetry/instrumentation-http@0.223.0'];
    const subject: Subject = {
      folder: 'official-http-0.223.0',
      packages,
      modules: { express: 'express' },
      application: 'express.cjs',
    };
    const { answers } = await run(subject, {
      asked: [
        { path: '/api/v1/tenants/acme/users/7/orders/8' },
        { path: '/api/v1/fails' },
        { path: '/static/missing' },
      ],
      env: { OFFICIAL: '@opentelemetry/instrumentation-http:HttpInstrumentation' },
    });
    const found = answers.map(({ span, serverSpans, astray }) => [
      span?.name,
      span?.handler,
      span?.exceptions,
      serverSpans,
      astray,
    ]);
    assert.deepEqual(found, [
      ['GET /api/v1/tenants/:tenant/users/:user/orders/:order', 'showOrder', [], 1, []],
      ['GET /api/v1/fails', 'onError', ['TypeError'], 1, []],
      ['GET', 'staticFiles', [], 1, []],
    ]);
  });
});
