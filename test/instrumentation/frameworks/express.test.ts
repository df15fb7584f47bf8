import type { Asked } from './support/observed.ts';
import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import { EXPRESS } from './support/subjects.ts';
import { KINDS } from './support/run.ts';

describe('routes of express', function () {
  this.timeout(120_000);

  for (const subject of EXPRESS) {
    const is4 = subject.version.startsWith('4');
    const wild = is4 ? '/wild/*' : '/wild/*rest';
    const rows: [path: string | Asked, Expected][] = [
      ['/', ['GET /', 'home']],
      [
        '/users/7?a=b',
        ['GET /users/:id', 'showUser', { inContext: ['first', 'loadUser', 'showUser'] }],
      ],
      [{ path: '/late/7', times: 3 }, ['GET /late/:id', 'late', { inContext: ['first', 'late'] }]],
      [
        { method: 'POST', path: '/body', body: '{"a":1}' },
        ['POST /body', 'takeBody', { inContext: ['first', 'takeBody'] }],
      ],
      ['/colour', ['GET /colour', 'colour']],
      ['/color/red', ['GET /color/:shade', 'colour']],
      ['/files/a/b.txt', ['GET /^\\/files\\/(.+)\\.txt$/', 'file']],
      [{ method: 'DELETE', path: '/anything' }, ['DELETE /anything', 'anything']],
      [{ method: 'HEAD', path: '/users/7' }, ['HEAD /users/:id', 'showUser']],
      ['/next/7', ['GET /next/:name', 'takes']],
      ['/skipped/it', ['GET /skipped/it', 'reached']],
      ['/answered', ['GET /answered', 'answers', { inContext: ['first', 'tooLate'] }]],
      ['/api/v1/tenants/acme/users', ['GET /api/v1/tenants/:tenant/users', 'listUsers']],
      ['/api/v1/tenants/acme/users?denied', ['GET /api/v1/tenants/:tenant/users', 'inUsers']],
      [
        '/api/v1/tenants/acme/users/7/orders/8',
        ['GET /api/v1/tenants/:tenant/users/:user/orders/:order', 'showOrder'],
      ],
      [
        { method: 'POST', path: '/api/v1/tenants/acme/users/7/orders/8' },
        ['POST /api/v1/tenants/:tenant/users/:user/orders/:order', 'addOrder'],
      ],
      [
        '/api/v1/tenants/acme/users/404/orders/8',
        ['GET /api/v1/tenants/:tenant/users/:user/orders/:order', 'findUser'],
      ],
      [
        '/api/v1/tenants/acme/users/bad/orders/8',
        [
          'GET /api/v1/tenants/:tenant/users/:user/orders/:order',
          'onError',
          { exceptions: ['RangeError'] },
        ],
      ],
      ['/api/v1/one/x', ['GET /api/v1/one', 'several']],
      ['/api/v1/two', ['GET /api/v1/two', 'several']],
      [
        '/api/v1/fails',
        [
          'GET /api/v1/fails',
          'onError',
          { exceptions: ['TypeError'], inContext: ['first', 'onError'] },
        ],
      ],
      ['/api/v1/fails?default', ['GET /api/v1/fails', 'onError', { exceptions: ['TypeError'] }]],
      ['/api/v1/rejects', ['GET /api/v1/rejects', 'onError', { exceptions: ['SyntaxError'] }]],
      [
        '/api/v1/recovers',
        [
          'GET /api/v1/recovers',
          'recover',
          { exceptions: ['TypeError'], inContext: ['first', 'recover'] },
        ],
      ],
      ['/admin/panel/7', ['GET /admin/panel/:id', 'panel', { inContext: ['first', 'panel'] }]],
      ['/static/a.css', ['GET /static', 'staticFiles']],
      ['/guard/x', ['GET /guard', 'onError', { exceptions: ['Error'] }]],
      ['/loose?here', ['GET /:any', 'parameter']],
      ['/wild/a/b', [`GET ${wild}`, 'wild']],
      // Nothing answers, whatever these paths were mounted or matched at on their way.
      ['/api/v1/nothing', ['GET', undefined]],
      ['/static/missing', ['GET', undefined]],
      ['/loose/x', ['GET', undefined]],
      ['/nothing/at/all', ['GET', undefined]],
      [{ method: 'POST', path: '/users/7' }, ['POST', undefined]],
    ];
    for (const kind of KINDS) {
      itNames(subject, kind, rows);
    }
    itBehavesAsBare(
      subject,
      rows.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(EXPRESS, 'express,router', '/users/7');
});
