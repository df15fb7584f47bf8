import assert from 'node:assert/strict';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { fixture, RunningNode } from '../support/run-node.ts';
import { cachedInstall } from '../support/user-cache.ts';
import {
  NEST,
  NEXT,
  RESTIFY,
  type Version,
} from '../instrumentation/frameworks/support/subjects.ts';
import { MAIN, Project } from './project.ts';

/** Seconds of traffic: `SECONDS=3600` is the hour that a release is measured by. */
const SECONDS = process.env['SECONDS'] ?? '3';
const SETUPS = {
  'OpenTelemetry alone': ['--require', './load-http.cjs', '--import', './tracing.mjs'],
  clew: ['--import', new URL('../../src/register.js', import.meta.url).href],
  'no tracing at all': [],
};
const FRAMEWORKS = [
  'express@5.2.1',
  'fastify@5.12.8',
  'koa@3.3.0',
  'koa-bodyparser@4.4.1',
  'hono@4.13.19',
  '@hono/node-server@1.19.19',
  '@hapi/hapi@21.4.10',
  'connect@3.7.0',
  'polka@0.5.2',
  'micro@10.0.1',
  'h3@1.15.11',
  'restana@5.2.0',
];

const USERS = '/api/v1/tenants/1/users';
/** Frameworks that bring an application of many parts, and what theirs are asked for. */
const WHOLE: readonly {
  subject: Version | undefined;
  asked: readonly [method: string, path: string, status: number][];
}[] = [
  ...['express', 'fastify'].map((platform) => ({
    subject: NEST.findLast(({ folder }) => folder.includes(platform)),
    asked: [
      ['GET', `${USERS}/7`, 200],
      ['POST', USERS, 201],
      ['GET', `${USERS}/8`, 200],
      ['GET', `${USERS}/7/fails`, 500],
      ['GET', `${USERS}/7/missing`, 404],
      ['GET', `${USERS}/7/filtered`, 503],
      ['GET', `${USERS}/7/guarded`, 403],
      ['GET', '/nothing', 404],
    ] satisfies [string, string, number][],
  })),
  {
    subject: NEXT.at(-1),
    asked: [
      ['GET', '/api/users/7', 200],
      ['GET', '/api/users/8', 200],
      ['GET', '/shop/a/b', 200],
      ['GET', '/fetches', 200],
      ['GET', '/api/old', 200],
      ['GET', '/fails', 500],
      ['POST', '/api/users/7', 405],
      ['GET', '/nothing', 404],
    ],
  },
  {
    subject: RESTIFY.at(-1),
    asked: [
      ['GET', '/', 200],
      ['GET', '/users/7', 200],
      ['GET', '/users/8', 200],
      ['GET', '/files/a', 200],
      ['GET', '/fails', 500],
      ['GET', '/rejects', 500],
      ['GET', '/?denied', 401],
      ['GET', '/nothing', 404],
    ],
  },
];

for (const [setup, args] of Object.entries(SETUPS)) {
  describe(`clew doctor, with ${setup}, finds nothing, even if strict,`, function () {
    this.timeout(120_000 + Number(SECONDS) * 2000);
    let project: Project;

    beforeEach(() => {
      project = new Project();
      for (const name of ['healthy', 'frameworks']) {
        cpSync(fixture(`diagnosis-${name}`), project.path(name), { recursive: true });
      }
    });
    afterEach(() => project.remove());

    /** The requests that a clean run had. */
    async function cleanRun(env: Record<string, string>, application: string): Promise<number> {
      const all = [MAIN, 'doctor', '--strict', ...args, application];
      const { code, stdout, stderr } = await new RunningNode(all, {
        cwd: project.folder,
        env: { OTEL_TRACES_EXPORTER: 'none', ...env },
      }).result();
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /\nno context was lost\n$/);
      return Number(/(\d+) requests/.exec(stdout)?.[1]);
    }

    it('in pools, streams, workers, kept connections, timers of start-up and broadcasts', async () => {
      const requests = await cleanRun({ SECONDS }, 'healthy/app.mjs');
      assert.ok(requests > 20, `${requests} requests`);
    });

    it('in the examples of ten frameworks and of Node itself', async () => {
      const modules = join(cachedInstall('doctor-frameworks-1', FRAMEWORKS), 'node_modules');
      const requests = await cleanRun({ FRAMEWORKS: modules }, 'frameworks/app.cjs');
      assert.equal(requests, 11 * 21);
    });

    for (const { subject, asked } of WHOLE) {
      assert.ok(subject);
      it(`in an application of ${subject.title}`, async () => {
        const installed = cachedInstall(join('frameworks', subject.folder), subject.packages);
        symlinkSync(join(installed, 'node_modules'), project.path('frameworks/node_modules'));
        cpSync(fixture(`frameworks/${subject.application}`), project.path('frameworks/served.cjs'));
        const env = {
          ...subject.prepare?.(installed),
          APPLICATION: './served.cjs',
          MODULES: JSON.stringify(subject.modules),
          ASKED: JSON.stringify(asked),
        };
        const requests = await cleanRun(env, 'frameworks/whole.mjs');
        // A page of Next.js asks its own server.
        const own = asked.filter(([, path]) => path === '/fetches').length;
        assert.equal(requests, 3 * (asked.length + own));
      });
    }
  });
}
