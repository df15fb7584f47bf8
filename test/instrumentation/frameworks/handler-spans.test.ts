import assert from 'node:assert/strict';

import type { Answer, Asked, Child } from './support/observed.ts';
import { run, type RunSettings } from './support/run.ts';
import {
  CONNECT,
  EXPRESS,
  FASTIFY,
  FIND_MY_WAY,
  HAPI,
  HONO,
  KOA,
  NEST,
  POLKA,
  RESTIFY,
  type Version,
} from './support/subjects.ts';

/** What is asked for, and the spans below that of the request, with what ran in each. */
type Row = readonly [string | Asked, name: string, children: readonly string[]];

const ON = { CLEW_HTTP_HANDLER_SPANS: 'on' };
const askedOf = (asked: string | Asked): Asked =>
  typeof asked === 'string' ? { path: asked } : asked;

/** `middleware first: first`, and `!TypeError` where it failed. */
function shown({ name, attributes, ran, failed }: Child): string {
  const error = failed ? ` !${String(attributes['error.type'])}` : '';
  return `${name}${error}${ran.length > 0 ? `: ${ran.join(', ')}` : ''}`;
}

/** Spans of express 4 itself, of which there are none in 5. */
const isOwn = ({ name }: Child): boolean => /^middleware (?:query|expressInit)$/.test(name);

const TABLE: readonly (readonly [Version | undefined, readonly Row[]])[] = [
  ...[EXPRESS[0], EXPRESS.at(-1)].map((subject) => {
    const first = ['middleware first: first', 'middleware jsonParser'];
    const rows: Row[] = [
      [
        { path: '/users/7', times: 3 },
        'GET /users/:id',
        [...first, 'handler loadUser: loadUser', 'handler showUser: showUser'],
      ],
      ['/late/7', 'GET /late/:id', [...first, 'handler late: late']],
      [
        '/api/v1/tenants/acme/users/7/orders/8',
        'GET /api/v1/tenants/:tenant/users/:user/orders/:order',
        [...first, 'middleware inUsers', 'handler showOrder: showOrder'],
      ],
      ['/skipped/it', 'GET /skipped/it', [...first, 'handler skips', 'handler reached']],
      [
        '/api/v1/recovers',
        'GET /api/v1/recovers',
        [...first, 'handler recovers !TypeError', 'error handler recover: recover'],
      ],
      [
        '/api/v1/fails?default',
        'GET /api/v1/fails',
        // It hands on what it was given.
        [...first, 'handler fails !TypeError', 'error handler onError: onError'],
      ],
      ['/loose?here', 'GET /:any', [...first, 'middleware ownNext', 'middleware parameter']],
      [
        '/later/x',
        'GET /later/x',
        [...first, 'middleware laterNext: laterNext', 'handler afterLater: afterLater'],
      ],
      ['/static/x', 'GET /static', [...first, 'middleware parameter', 'middleware staticFiles']],
    ];
    return [subject, rows] as const;
  }),
  ...[KOA[0], KOA[1]].map((subject) => {
    const rows: Row[] = [
      [
        { path: '/users/7', times: 3 },
        'GET /users/:id',
        ['middleware first: first', 'handler loadUser: loadUser', 'handler showUser: showUser'],
      ],
      [
        '/rejects?caught',
        'GET /rejects',
        ['middleware first: first, caught', 'handler rejects !SyntaxError'],
      ],
    ];
    return [subject, rows] as const;
  }),
  ...[FASTIFY[0], FASTIFY.at(-1)].map((subject) => {
    const order = 'GET /api/v1/tenants/:tenant/orders/:order';
    const hook = 'hook onRequest onRequest: onRequest';
    const inPlugin = 'hook preHandler preHandler: preHandler';
    const rows: Row[] = [
      [{ path: '/users/7', times: 3 }, 'GET /users/:id', [hook, 'handler showUser: showUser']],
      ['/users/7?denied', 'GET /users/:id', [hook]],
      [
        '/api/v1/tenants/acme/orders/8',
        order,
        [hook, 'hook preHandler preHandler: preHandler', 'handler showOrder'],
      ],
      [
        '/api/v1/tenants/acme/orders/8?fail',
        order,
        [hook, 'hook preHandler preHandler !EvalError: preHandler'],
      ],
      ['/fails', 'GET /fails', [hook, 'handler fails !TypeError']],
      [
        { path: '/api/v1/tenants/acme/orders/deeper/nothing', times: 2 },
        'GET',
        [hook, inPlugin, 'handler notHere: notHere'],
      ],
      // Fastify answers itself.
      ['/nowhere', 'GET', [hook]],
    ];
    return [subject, rows] as const;
  }),
  [
    HONO.at(-1),
    [
      [
        { path: '/users/7', times: 3 },
        'GET /users/:id',
        ['middleware first: first', 'handler loadUser: loadUser', 'handler showUser: showUser'],
      ],
      [
        '/guarded/7?broken',
        'GET /guarded/*',
        ['middleware first: first', 'middleware guard !RangeError'],
      ],
    ],
  ],
  [
    CONNECT.at(-1),
    [
      ['/api/users', 'GET /api/users', ['middleware first: first', 'middleware users: users']],
      [
        '/passes',
        'GET /passes',
        [
          'middleware first: first',
          'middleware passes !RangeError',
          'error handler handlesErrors: handlesErrors',
        ],
      ],
    ],
  ],
  [
    RESTIFY.at(-1),
    [
      [
        '/users/7',
        'GET /users/:id',
        [
          'middleware before: before',
          'middleware used',
          'middleware loadUser',
          'middleware showUser: showUser',
        ],
      ],
      ['/?denied', 'GET /', ['middleware before: before', 'middleware used']],
    ],
  ],
  [
    POLKA.at(-1),
    [['/users/7', 'GET /users/:id', ['handler loadUser', 'handler showUser: showUser']]],
  ],
  [
    HAPI.at(-1),
    [
      ['/users/7', 'GET /users/{id}', ['handler showUser: showUser']],
      ['/rejects', 'GET /rejects', ['handler rejects !SyntaxError']],
    ],
  ],
  [FIND_MY_WAY.at(-1), [['/users/7', 'GET /users/:id', ['handler showUser: showUser']]]],
];

describe('spans of middlewares and handlers', function () {
  this.timeout(120_000);

  for (const [subject, rows] of TABLE) {
    assert.ok(subject);
    it(`have what they do below them, with ${subject.title}`, async () => {
      const { answers } = await ask(subject, rows, { env: ON });
      const each = rows.flatMap((row) =>
        Array.from({ length: askedOf(row[0]).times ?? 1 }, () => row),
      );
      for (const [index, [, name, children]] of each.entries()) {
        const answer = answers[index] as Answer;
        const found = answer.children.filter((child) => !isOwn(child));
        assert.equal(answer.span?.name, name);
        assert.deepEqual(found.map(shown), children);
        assert.deepEqual([answer.serverSpans, answer.astray], [1, []]);
        for (const child of answer.children) {
          // What is handed on to is beside, and not below.
          assert.equal(child.parent, name, child.name);
          assert.ok(child.isWithin, child.name);
          assert.ok(child.attributes['clew.handler.framework'], child.name);
        }
      }
    });

    it(`leave the application as it is, with ${subject.title}`, async () => {
      const seen = ({ answers, looks }: Awaited<ReturnType<typeof run>>): unknown => ({
        answers: answers.map(({ status, headers }) => ({ status, headers })),
        looks,
      });
      const bare = await ask(subject, rows, { isBare: true });
      assert.deepEqual(seen(await ask(subject, rows, { env: ON })), seen(bare));
    });
  }

  for (const subject of [FASTIFY[0], FASTIFY.at(-1)]) {
    assert.ok(subject);
    it(`are below the handler that calls callNotFound(), with ${subject.title}`, async () => {
      const path = '/api/v1/tenants/acme/orders/deeper/gone';
      // Before anything else was not found.
      const { answers } = await run(subject, { asked: [{ path }, { path }], env: ON });
      const name = 'GET /api/v1/tenants/:tenant/orders/deeper/gone';
      for (const { span, children } of answers) {
        assert.equal(span?.name, name);
        assert.deepEqual(
          children.map((child) => [shown(child), child.parent]),
          [
            ['hook onRequest onRequest: onRequest', name],
            ['hook preHandler preHandler: preHandler', name],
            ['handler gone: gone', name],
            ['hook preHandler preHandler: preHandler', 'handler gone'],
            ['handler notHere: notHere', 'handler gone'],
          ],
        );
      }
    });
  }

  for (const subject of [NEST[1], NEST[3]]) {
    assert.ok(subject);
    it(`are those of the methods of controllers, with ${subject.title}`, async () => {
      const { answers } = await run(subject, {
        asked: [{ path: '/api/v1/tenants/acme/users/7' }],
        env: ON,
      });
      const names = answers[0]?.children.map(({ name }) => name) ?? [];
      assert.ok(names.includes('handler UsersController.findOne'), names.join(', '));
    });
  }

  it('are none unless asked for', async () => {
    const [subject] = EXPRESS;
    assert.ok(subject);
    const { answers } = await run(subject, { asked: [{ path: '/users/7' }] });
    assert.deepEqual(answers[0]?.others, []);
  });

  function ask(
    subject: Version,
    rows: readonly Row[],
    settings: Omit<RunSettings, 'asked'>,
  ): ReturnType<typeof run> {
    return run(subject, { ...settings, asked: rows.map(([asked]) => askedOf(asked)) });
  }
});
