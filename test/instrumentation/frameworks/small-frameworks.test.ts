import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { CONNECT, FIND_MY_WAY, POLKA, RESTIFY, ROUTER, type Version } from './support/subjects.ts';

type Rows = [path: string | Asked, Expected][];

const nothing: Rows = [['/nothing/at/all', ['GET', undefined, { status: 404 }]]];

const router: Rows = [
  [
    { path: '/tenants/acme/users/7?a=b', times: 3 },
    ['GET /tenants/:tenant/users/:id', 'showUser', { inContext: ['first', 'showUser'] }],
  ],
  ['/fails', ['GET /fails', 'fails', { exceptions: ['TypeError'], status: 500 }]],
  ['/static/x', ['GET /static', 'files']],
  ...nothing,
];

const connect: Rows = [
  ['/hello/you', ['GET /hello', 'hello', { inContext: ['first'] }]],
  ['/hello', ['GET /hello', 'hello']],
  [
    { path: '/api/users/7', times: 3 },
    ['GET /api/users', 'users', { inContext: ['first', 'users'] }],
  ],
  ['/api/fails', ['GET /api/fails', 'fails', { status: 500, exceptions: ['TypeError'] }]],
  ['/passes', ['GET /passes', 'handlesErrors', { status: 503, exceptions: ['RangeError'] }]],
  ['/hello/next', ['GET', undefined, { status: 404 }]],
  ['/api/nothing', ['GET', undefined, { status: 404 }]],
  ...nothing,
];

const polka: Rows = [
  ['/', ['GET /', 'home']],
  [
    { path: '/users/7?a=b', times: 3 },
    ['GET /users/:id', 'showUser', { inContext: ['first', 'showUser'] }],
  ],
  ['/files/a/b', ['GET /files/*', 'files']],
  [{ method: 'PUT', path: '/anything' }, ['PUT /anything', 'anything']],
  ['/orders/8', ['GET /orders/:order', 'showOrder', { inContext: ['first', 'showOrder'] }]],
  [
    '/fails',
    [
      'GET /fails',
      'fails',
      { status: 500, exceptions: ['TypeError'], inContext: ['first', 'onError'] },
    ],
  ],
  ['/nothing/at/all', ['GET', undefined, { status: 500 }]],
];

const restify: Rows = [
  ['/', ['GET /', 'home']],
  [
    { path: '/users/7', times: 3 },
    ['GET /users/:id', 'showUser', { inContext: ['before', 'showUser'] }],
  ],
  ['/users/7?denied', ['GET /users/:id', 'used', { status: 401 }]],
  ['/files/a/b', ['GET /files/*', 'files']],
  ['/fails', ['GET /fails', 'fails', { status: 500, exceptions: ['TypeError'] }]],
  ['/rejects', ['GET /rejects', 'rejects', { status: 500, exceptions: ['SyntaxError'] }]],
  [{ method: 'POST', path: '/users/7' }, ['POST', undefined, { status: 405 }]],
  ...nothing,
];

const findMyWay: Rows = [
  ['/', ['GET /', 'home']],
  [
    { method: 'PUT', path: '/users/7?a=b', times: 3 },
    ['PUT /users/:id', 'showUser', { inContext: ['showUser'] }],
  ],
  ['/maybe/me', ['GET /maybe/:name?', 'maybe']],
  ['/files/a/b', ['GET /files/*', 'files']],
  [{ method: 'DELETE', path: '/anything' }, ['DELETE /anything', 'anything']],
  ...nothing,
];

const frameworks: [name: string, versions: readonly Version[], rows: Rows, path: string][] = [
  ['router', ROUTER, router, '/tenants/acme/users/7'],
  ['connect', CONNECT, connect, '/hello'],
  ['polka', POLKA, polka, '/users/7'],
  ['restify', RESTIFY, restify, '/users/7'],
  ['find-my-way', FIND_MY_WAY, findMyWay, '/users/7'],
];

for (const [name, versions, rows, path] of frameworks) {
  describe(`routes of ${name}`, function () {
    this.timeout(120_000);

    for (const subject of versions) {
      for (const kind of KINDS) itNames(subject, kind, rows);
      itBehavesAsBare(
        subject,
        rows.map(([asked]) => asked),
      );
    }
    itIsSwitchedOff(versions, name, path);
  });
}
