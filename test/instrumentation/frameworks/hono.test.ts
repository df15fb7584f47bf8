import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { HONO } from './support/subjects.ts';

describe('routes of hono', function () {
  this.timeout(120_000);

  const orders = 'GET /api/v1/tenants/:tenant/orders';
  const rows: [path: string | Asked, Expected][] = [
    ['/', ['GET /', 'home']],
    [
      { path: '/users/7?a=b', times: 3 },
      ['GET /users/:id', 'showUser', { inContext: ['first', 'loadUser', 'showUser'] }],
    ],
    ['/me/7', ['GET /me/:id', 'firstMe']],
    ['/me/7?next', ['GET /me/:name', 'secondMe']],
    ['/numbers/7', ['GET /numbers/:id{[0-9]+}', 'number']],
    [{ method: 'PUT', path: '/colour' }, ['PUT /colour', 'colour']],
    [{ method: 'DELETE', path: '/color/red' }, ['DELETE /color/:shade', 'colour']],
    [{ method: 'PATCH', path: '/anything' }, ['PATCH /anything', 'anything']],
    ['/files/a/b.txt', ['GET /files/*', 'files']],
    [
      { method: 'POST', path: '/body', body: '{"a":1}' },
      ['POST /body', 'takeBody', { inContext: ['first', 'takeBody'] }],
    ],
    [{ method: 'HEAD', path: '/users/7' }, ['HEAD /users/:id', 'showUser']],
    ['/api/v1/tenants/acme/orders', [orders, 'listOrders']],
    [
      '/api/v1/tenants/acme/orders/8',
      [`${orders}/:order`, 'showOrder', { inContext: ['first', 'showOrder'] }],
    ],
    ['/guarded/7', ['GET /guarded/:id', 'guarded']],
    ['/guarded/7?denied', ['GET /guarded/*', 'guard', { status: 401 }]],
    ['/guarded/7?broken', ['GET /guarded/*', 'guard', { status: 500, exceptions: ['RangeError'] }]],
    [
      '/fails',
      ['GET /fails', 'fails', { exceptions: ['TypeError'], inContext: ['first', 'onError'] }],
    ],
    ['/rejects', ['GET /rejects', 'rejects', { exceptions: ['SyntaxError'], status: 500 }]],
    [
      '/api/v1/caring/fails',
      [
        'GET /api/v1/caring/fails',
        'failsInside',
        { exceptions: ['TypeError'], status: 503, inContext: ['first', 'careful'] },
      ],
    ],
    // Nothing is found, or everything is answered.
    ['/users/7?early', ['GET', 'first', { status: 200 }]],
    ['/guarded', ['GET', undefined, { status: 404 }]],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
    [{ method: 'POST', path: '/users/7' }, ['POST', undefined, { status: 404 }]],
  ];

  for (const subject of HONO) {
    // The oldest cannot mount an application on this server.
    const all: typeof rows =
      subject.version === '4.0.0'
        ? rows
        : [...rows, ['/legacy/old/7', ['GET /legacy/old/:id', 'old']]];
    for (const kind of KINDS) itNames(subject, kind, all);
    itBehavesAsBare(
      subject,
      all.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(HONO, 'hono', '/users/7');
});
