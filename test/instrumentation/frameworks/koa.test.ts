import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { KOA } from './support/subjects.ts';

describe('routes of koa', function () {
  this.timeout(120_000);

  const order = 'GET /api/v1/tenants/:tenant/orders/:order';
  const rows: [path: string | Asked, Expected][] = [
    ['/', ['GET /', 'home']],
    [
      { path: '/users/7?a=b', times: 3 },
      ['GET /users/:id', 'showUser', { inContext: ['first', 'loadUser', 'showUser'] }],
    ],
    ['/me/7', ['GET /me/:id', 'first']],
    ['/me/7?next', ['GET /me/:name', 'second']],
    ['/files/a/b.txt', ['GET /^\\/files\\/(.+)\\.txt$/', 'file']],
    ['/colour', ['GET /colour', 'colour']],
    ['/color/red', ['GET /color/:shade', 'colour']],
    [{ method: 'PUT', path: '/anything' }, ['PUT /anything', 'anything']],
    [{ method: 'HEAD', path: '/users/7' }, ['HEAD /users/:id', 'showUser']],
    ['/api/v1/tenants/acme/orders', ['GET /api/v1/tenants/:tenant/orders', 'listOrders']],
    ['/api/v1/tenants/acme/orders/8', [order, 'showOrder', { inContext: ['first', 'showOrder'] }]],
    ['/fails', ['GET /fails', 'fails', { exceptions: ['TypeError'], status: 500 }]],
    ['/rejects', ['GET /rejects', 'rejects', { exceptions: ['SyntaxError'], status: 500 }]],
    [
      '/rejects?caught',
      [
        'GET /rejects',
        'rejects',
        { exceptions: ['SyntaxError'], status: 503, inContext: ['first', 'caught'] },
      ],
    ],
    ['/throws', ['GET /throws', 'throws', { status: 418, exceptions: ['ImATeapotError'] }]],
    ['/plain-error', ['GET', undefined, { exceptions: ['RangeError'], status: 500 }]],
    // Nothing of a router answers.
    ['/plain', ['GET', undefined, { status: 200 }]],
    ['/users/7?early', ['GET', undefined, { status: 200 }]],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
    [{ method: 'DELETE', path: '/users/7' }, ['DELETE', undefined, { status: 405 }]],
  ];
  const mounted: typeof rows = [
    ['/admin/panel/7', ['GET /admin/panel/:id', 'panel', { inContext: ['first', 'panel'] }]],
    ['/admin', ['GET /admin', 'adminHome']],
    ['/admin/nothing', ['GET', undefined, { status: 404 }]],
  ];

  for (const subject of KOA) {
    const all = 'mount' in subject.modules ? [...rows, ...mounted] : [...rows];
    // `koa-router` 14 passes over such a middleware.
    if (subject.version !== '14.0.0') {
      all.push(['/api/v1/tenants/acme/orders/8?denied', [order, 'inOrders', { status: 401 }]]);
    }
    for (const kind of KINDS) itNames(subject, kind, all);
    itBehavesAsBare(
      subject,
      all.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(KOA, 'koa', '/users/7');
});
