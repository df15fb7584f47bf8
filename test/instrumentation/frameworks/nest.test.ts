import {
  itBehavesAsBare,
  itIsSwitchedOff,
  itNames,
  type Expected,
} from './support/expectations.ts';
import type { Asked } from './support/observed.ts';
import { KINDS } from './support/run.ts';
import { NEST } from './support/subjects.ts';

describe('routes of NestJS', function () {
  this.timeout(180_000);

  const users = '/api/v1/tenants/:tenant/users';
  const rows: [path: string | Asked, Expected][] = [
    [
      { path: '/api/v1/tenants/acme/users/7?a=b', times: 3 },
      [`GET ${users}/:id`, 'UsersController.findOne', { inContext: ['findOne'] }],
    ],
    [
      { method: 'POST', path: '/api/v1/tenants/acme/users' },
      [`POST ${users}`, 'UsersController.create'],
    ],
    [
      { method: 'PUT', path: '/api/v1/tenants/acme/users/any/thing' },
      [`PUT ${users}/any/thing`, 'UsersController.anything'],
    ],
    [
      '/api/v1/tenants/acme/users/7/fails',
      [`GET ${users}/:id/fails`, 'UsersController.fails', { exceptions: ['TypeError'] }],
    ],
    [
      '/api/v1/tenants/acme/users/7/missing',
      [
        `GET ${users}/:id/missing`,
        'UsersController.missing',
        { status: 404, exceptions: ['NotFoundException'] },
      ],
    ],
    [
      '/api/v1/tenants/acme/users/7/filtered',
      [
        `GET ${users}/:id/filtered`,
        'UsersController.filtered',
        { status: 503, exceptions: ['RangeError'], inContext: ['filter'] },
      ],
    ],
    [
      '/api/v1/tenants/acme/users/7/guarded',
      [
        `GET ${users}/:id/guarded`,
        'UsersController.guarded',
        { status: 403, exceptions: ['ForbiddenException'], inContext: ['guard'] },
      ],
    ],
    ['/api/v1/nothing', ['GET', undefined, { status: 404 }]],
    ['/nothing/at/all', ['GET', undefined, { status: 404 }]],
  ];

  for (const subject of NEST) {
    for (const kind of KINDS) {
      if (subject.kinds?.includes(kind) ?? true) itNames(subject, kind, rows);
    }
    itBehavesAsBare(
      subject,
      rows.map(([asked]) => asked),
    );
  }
  itIsSwitchedOff(NEST, 'nestjs-core,express,router,fastify', '/api/v1/tenants/acme/users/7');
});
