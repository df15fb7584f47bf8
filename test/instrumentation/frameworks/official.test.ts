import assert from 'node:assert/strict';

import { SpanKind } from '@opentelemetry/api';

import type { Asked } from './support/observed.ts';
import { run, type Kind, type Subject } from './support/run.ts';
import {
  CONNECT,
  EXPRESS,
  FASTIFY,
  GRAPHQL,
  HAPI,
  KOA,
  NEST,
  RESTIFY,
  ROUTER,
  type Version,
} from './support/subjects.ts';

/** An instrumentation of somebody else's, with its framework. */
interface Official {
  /** The framework's name in configuration. */
  readonly framework: string;
  readonly subject: Version | undefined;
  /** The package with its version, its class, and what that is made with. */
  readonly brought: readonly [name: string, version: string, className: string, options?: object];
  readonly asked: Asked;
  /** The name of the request's span, and the fewest spans below it. */
  readonly name: string;
  readonly spans: number;
  /** What it makes spans of has none of clew's. */
  readonly isLeft?: false;
  /** It fails by itself in ES modules. */
  readonly kind?: Kind;
}

const official = (name: string): string => `@opentelemetry/instrumentation-${name}`;
/** The one that the tests have: others do not see its globals. */
const API = '@opentelemetry/api@1.9.1';
const ORDER = 'GET /api/v1/tenants/:tenant/orders/:order';

const OFFICIAL: readonly Official[] = [
  {
    framework: 'express',
    subject: EXPRESS.at(-1),
    brought: [official('express'), '0.71.1', 'ExpressInstrumentation'],
    asked: { path: '/api/v1/tenants/acme/users/7/orders/8' },
    name: 'GET /api/v1/tenants/:tenant/users/:user/orders/:order',
    spans: 3,
  },
  {
    framework: 'router',
    subject: ROUTER[0],
    brought: [official('router'), '0.67.0', 'RouterInstrumentation'],
    asked: { path: '/tenants/acme/users/7' },
    name: 'GET /tenants/:tenant/users/:id',
    spans: 2,
  },
  {
    framework: 'koa',
    subject: KOA[1],
    brought: [official('koa'), '0.71.0', 'KoaInstrumentation'],
    asked: { path: '/users/7' },
    name: 'GET /users/:id',
    spans: 3,
  },
  {
    framework: 'fastify',
    subject: FASTIFY.at(-1),
    brought: [
      '@fastify/otel',
      '0.21.2',
      'FastifyOtelInstrumentation',
      { registerOnInitialization: true },
    ],
    asked: { path: '/api/v1/tenants/acme/orders/8' },
    name: ORDER,
    spans: 4,
  },
  {
    framework: 'fastify',
    subject: FASTIFY.at(-1),
    brought: [official('fastify'), '0.57.0', 'FastifyInstrumentation'],
    asked: { path: '/api/v1/tenants/acme/orders/8' },
    name: ORDER,
    spans: 3,
  },
  {
    framework: 'hapi',
    subject: HAPI.at(-1),
    brought: [official('hapi'), '0.69.0', 'HapiInstrumentation'],
    asked: { path: '/users/7' },
    name: 'GET /users/{id}',
    spans: 1,
  },
  {
    framework: 'restify',
    subject: RESTIFY.at(-1),
    brought: [official('restify'), '0.68.0', 'RestifyInstrumentation'],
    asked: { path: '/users/7' },
    name: 'GET /users/:id',
    spans: 4,
  },
  {
    framework: 'connect',
    subject: CONNECT.at(-1),
    brought: [official('connect'), '0.66.0', 'ConnectInstrumentation'],
    asked: { path: '/api/users' },
    name: 'GET /api/users',
    spans: 2,
    kind: 'CommonJS module',
  },
  {
    framework: 'nestjs-core',
    subject: NEST[0],
    brought: [official('nestjs-core'), '0.70.0', 'NestInstrumentation'],
    asked: { path: '/api/v1/tenants/acme/users/7' },
    name: 'GET /api/v1/tenants/:tenant/users/:id',
    spans: 2,
  },
  {
    framework: 'graphql',
    subject: GRAPHQL.at(-1),
    brought: [official('graphql'), '0.71.0', 'GraphQLInstrumentation'],
    asked: {
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'query find { user(id: "7") }' }),
    },
    name: 'POST',
    spans: 2,
    isLeft: false,
  },
];

describe('official instrumentations of frameworks', function () {
  this.timeout(120_000);

  for (const way of ['given to start', 'registered by hand'] as const) {
    for (const { framework, subject, brought, asked, name, spans, isLeft, kind } of OFFICIAL) {
      const [library, version, className, options = {}] = brought;
      assert.ok(subject);
      it(`make the spans of handlers in place of clew's: ${library}, ${way}`, async () => {
        const { answers, stderr } = await run(
          {
            ...subject,
            folder: `official-${className}-${version}-${subject.folder}`,
            packages: [...subject.packages, `${library}@${version}`, API],
          },
          {
            // One after the other: nothing is made twice in the first one either.
            asked: [asked, asked],
            ...(kind && { kind }),
            env: {
              OFFICIAL: `${library}:${className}`,
              OFFICIAL_OPTIONS: JSON.stringify(options),
              OFFICIAL_WAY: way,
              CLEW_HTTP_HANDLER_SPANS: 'on',
              OTEL_LOG_LEVEL: 'debug',
            },
          },
        );
        for (const answer of answers) {
          assert.equal(answer.span?.name, name);
          assert.equal(answer.serverSpans, 1);
          assert.deepEqual(answer.astray, []);
          const own = answer.children.filter(
            ({ attributes }) => 'clew.handler.framework' in attributes,
          );
          const doubled = own.filter(({ attributes }) => {
            return (
              attributes['clew.handler.framework'] ===
              (framework === 'router' ? 'express' : framework)
            );
          });
          assert.deepEqual(doubled, []);
          // Those of middlewares and handlers are what it was brought for.
          assert.ok(answer.children.length - own.length >= spans, answer.others.join(', '));
          assert.ok(!answer.others.some((other) => other.includes('clewRoute')));
        }
        assert.doesNotMatch(stderr ?? '', /instrumented twice/);
        const lines = (stderr ?? '')
          .split('\n')
          .filter((line) => line.includes(' are created by your '));
        const line = `clew: spans of the handlers of ${framework} are created by your ${library}.`;
        assert.deepEqual(lines, isLeft === false ? [] : [line]);
      });
    }
  }

  it('that make no spans cost those of the first request, and no more', async () => {
    const subject = RESTIFY.at(-1);
    const library = official('restify');
    assert.ok(subject);
    const { answers } = await run(
      {
        ...subject,
        folder: `official-RestifyInstrumentation-0.68.0-${subject.folder}`,
        packages: [...subject.packages, `${library}@0.68.0`, API],
      },
      {
        asked: [{ path: '/users/7' }, { path: '/users/7' }],
        env: {
          OFFICIAL: `${library}:RestifyInstrumentation`,
          // It has a tracer, and is at work nowhere.
          OFFICIAL_WAY: 'made and not enabled',
          OFFICIAL_OPTIONS: JSON.stringify({ enabled: false }),
          CLEW_HTTP_HANDLER_SPANS: 'on',
        },
      },
    );
    assert.deepEqual(answers[0]?.others, []);
    assert.equal(answers[1]?.children.length, 4);
  });

  for (const way of ['given to start', 'registered by hand'] as const) {
    it(`of gRPC makes the spans of calls in place of clew's, ${way}, and one line reports it`, async () => {
      const subject: Subject = {
        folder: 'official-grpc-0.223.0-api-1.9.1',
        packages: ['@grpc/grpc-js@1.14.7', '@opentelemetry/instrumentation-grpc@0.223.0', API],
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
