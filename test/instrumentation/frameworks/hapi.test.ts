import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { HAPI } from './support/subjects.ts';

describe('routes of hapi', function () {
  this.timeout(120_000);

  const orders = 'GET /api/v1/tenants/{tenant}/orders';
  // Below 21 hapi copies an error so that V8 of Node 22 and later gives the copy no stack.
  const isV8New = Number(process.versions.node.split('.')[0]) >= 22;
  const rowsOf = (stack: '' | ' without stack'): [path: string | Asked, Expected][] => [
    ['/', ['GET /', 'home']],
    [
      { path: '/users/7?a=b', times: 3 },
      ['GET /users/{id}', 'showUser', { inContext: ['onRequest', 'onPreHandler', 'showUser'] }],
    ],
    ['/files/a/b.txt', ['GET /files/{path*}', 'files']],
    ['/maybe', ['GET /maybe/{name?}', 'maybe']],
    [{ method: 'DELETE', path: '/several' }, ['DELETE /several', 'several']],
    [{ method: 'PATCH', path: '/anything' }, ['PATCH /anything', 'anything']],
    [
      { method: 'POST', path: '/body', body: '{"a":1}' },
      ['POST /body', 'takeBody', { inContext: ['onRequest', 'onPreHandler', 'takeBody'] }],
    ],
    [
      { method: 'POST', path: '/body', body: '{"a"' },
      ['POST /body', undefined, { status: 400, exceptions: ['Error'] }],
    ],
    [{ method: 'HEAD', path: '/users/7' }, ['HEAD /users/{id}', 'showUser']],
    ['/api/v1/tenants/acme/orders', [orders, 'listOrders']],
    ['/api/v1/tenants/acme/orders/8', [`${orders}/{order}`, 'showOrder']],
    ['/users/7?denied', ['GET /users/{id}', undefined, { status: 401 }]],
    ['/fails', ['GET /fails', 'fails', { status: 500, exceptions: [`TypeError${stack}`] }]],
    ['/rejects', ['GET /rejects', 'rejects', { status: 500, exceptions: [`SyntaxError${stack}`] }]],
    [
      '/fails?caught',
      [
        'GET /fails',
        'fails',
        {
          status: 503,
          exceptions: [`TypeError${stack}`],
          inContext: ['onRequest', 'onPreHandler', 'onPreResponse'],
        },
      ],
    ],
    // Nothing is found, or everything is answered.
    ['/users/7?early', ['GET', undefined, { status: 200 }]],
    ['/users/7?broken', ['GET', undefined, { status: 500, exceptions: [`RangeError${stack}`] }]],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
    [{ method: 'POST', path: '/users/7' }, ['POST', undefined, { status: 404 }]],
  ];

  for (const subject of HAPI) {
    const isStackless = isV8New && subject.version.startsWith('20.');
    for (const kind of KINDS) itNames(subject, kind, rowsOf(isStackless ? ' without stack' : ''));
    itBehavesAsBare(
      subject,
      rowsOf('').map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(HAPI, 'hapi', '/users/7');
});
