import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { TRPC } from './support/subjects.ts';

const post = (path: string): Asked => ({ method: 'POST', path, body: '{}' });

const rows: readonly (readonly [string | Asked, Expected])[] = [
  // The adapter of node:http, where nothing else knows a route.
  [{ path: '/user.byId', times: 3 }, ['GET /user.byId', undefined, { inContext: ['byId'] }]],
  ['/user.byId?batch=1&input=%7B%7D', ['GET /user.byId', undefined, { status: 200 }]],
  ['/user.byId,list?batch=1&input=%7B%7D', ['GET /*', undefined, { inContext: ['byId'] }]],
  ['/list,list?batch=1&input=%7B%7D', ['GET /list', undefined]],
  [post('/user.add'), ['POST /user.add', undefined, { status: 200 }]],
  ['/fails', ['GET /fails', undefined, { status: 500, exceptions: ['TypeError'] }]],
  ['/hides', ['GET /hides', undefined, { status: 404, exceptions: ['TRPCError'] }]],
  ['/nothing', ['GET', undefined, { status: 404 }]],
  ['/%E0%A4%A', ['GET', undefined]],
  // express, below a mount with a parameter.
  ['/shops/7/trpc/user.byId', ['GET /shops/:shop/trpc/user.byId', undefined, { status: 200 }]],
  ['/shops/7/trpc/list,user.byId?batch=1&input=%7B%7D', ['GET /shops/:shop/trpc/*', undefined]],
  ['/shops/7/trpc/nothing', ['GET /shops/:shop/trpc', undefined, { status: 404 }]],
  // A procedure that a handler calls by itself is none that was asked for.
  ['/inside', ['GET /inside', 'inside_', { status: 200, inContext: ['byId'] }]],
  ['/fast/trpc/user.byId', ['GET /fast/trpc/user.byId', undefined, { inContext: ['byId'] }]],
  [post('/fast/trpc/user.add'), ['POST /fast/trpc/user.add', undefined, { status: 200 }]],
  ['/fetch/trpc/user.byId', ['GET /fetch/trpc/user.byId', undefined, { inContext: ['byId'] }]],
  ['/fetch/trpc/list,user.byId?batch=1&input=%7B%7D', ['GET /fetch/trpc/*', undefined]],
];

describe('procedures of tRPC', function () {
  this.timeout(120_000);

  for (const subject of TRPC) {
    for (const kind of KINDS) itNames(subject, kind, rows);
    itBehavesAsBare(
      subject,
      rows.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(TRPC, 'trpc', '/user.byId');
});
