import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { FASTIFY } from './support/subjects.ts';

describe('routes of fastify', function () {
  this.timeout(120_000);

  const orders = '/api/v1/tenants/:tenant/orders';
  const rows: [path: string | Asked, Expected][] = [
    ['/', ['GET /', 'home']],
    [
      { path: '/users/7?a=b', times: 3 },
      ['GET /users/:id', 'showUser', { inContext: ['onRequest', 'showUser'] }],
    ],
    ['/users/7/8', ['GET /users/:id/:rest(^\\d+$)', 'numbered']],
    [{ method: 'DELETE', path: '/anything' }, ['DELETE /anything', 'anything']],
    ['/files/a/b.txt', ['GET /files/*', 'files']],
    [
      { method: 'POST', path: '/body', body: '{"a":1}' },
      ['POST /body', 'takeBody', { inContext: ['onRequest', 'takeBody'] }],
    ],
    ['/users/7?denied', ['GET /users/:id', undefined, { status: 401 }]],
    ['/fails', ['GET /fails', 'fails', { status: 500, exceptions: ['TypeError'] }]],
    ['/rejects', ['GET /rejects', 'rejects', { status: 500, exceptions: ['SyntaxError'] }]],
    ['/sends', ['GET /sends', 'sends', { status: 500, exceptions: ['RangeError'] }]],
    [`/api/v1/tenants/acme/orders/8`, [`GET ${orders}/:order`, 'showOrder']],
    [
      `/api/v1/tenants/acme/orders/8/fails`,
      [
        `GET ${orders}/:order/fails`,
        'failsInside',
        {
          status: 503,
          exceptions: ['TypeError'],
          inContext: ['onRequest', 'preHandler', 'onError'],
        },
      ],
    ],
    [
      `/api/v1/tenants/acme/orders/8?fail`,
      [`GET ${orders}/:order`, undefined, { status: 503, exceptions: ['EvalError'] }],
    ],
    [`/api/v1/tenants/acme/orders/deeper/x`, [`GET ${orders}/deeper/x`, 'deep']],
    // Nothing is found.
    [`/api/v1/tenants/acme/orders/deeper/y/z`, ['GET', undefined, { status: 404 }]],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
    [{ method: 'POST', path: '/users/7' }, ['POST', undefined, { status: 404 }]],
  ];

  for (const subject of FASTIFY) {
    // Refused before a handler runs, with errors that were made anew, or without a stack.
    const isNew = subject.version === '5.12.8';
    const all: typeof rows = [
      ...rows,
      [
        { method: 'POST', path: '/body', body: '{"a"' },
        [
          'POST /body',
          undefined,
          {
            status: 400,
            exceptions: [isNew ? 'FastifyError' : 'SyntaxError without stack'],
          },
        ],
      ],
      [
        { method: 'POST', path: '/checked', body: '{}' },
        [
          'POST /checked',
          undefined,
          {
            status: 400,
            exceptions: ['Error'],
          },
        ],
      ],
    ];
    for (const kind of KINDS) itNames(subject, kind, all);
    itBehavesAsBare(
      subject,
      all.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(FASTIFY, 'fastify', '/users/7');
});
