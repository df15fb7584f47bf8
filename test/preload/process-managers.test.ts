import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { REGISTER_URL, RunningNode } from '../support/run-node.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { folderWith } from './support.ts';

const FILES = {
  'package.json': '{ "name": "shop", "version": "1.2.3", "type": "module" }',
  'app.mjs': `import { createServer } from 'node:http';
if (process.env.OWN_HANDLER) {
  process.on('SIGINT', () => {
    console.log('own handler');
    process.exit(7);
  });
}
const server = createServer((request, response) => response.end('ok'));
server.listen(0, '127.0.0.1', async () => {
  await (await fetch('http://127.0.0.1:' + server.address().port)).text();
  console.log('ready');
});\n`,
};

/** How an application under a process manager ended. */
interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What the manager wrote about its application. */
  remarks: string[];
}

describe('clew/register under a process manager', function () {
  this.timeout(240_000);
  let receiver: OtlpReceiver;
  let tools: string;
  let folder: string;
  let remove: () => void;

  before(() => {
    tools = join(cachedInstall('launchers-4', ['pm2@7.0.4', 'nodemon@3.1.14']), 'node_modules');
    ({ folder, remove } = folderWith(FILES));
  });
  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());
  after(() => remove());

  async function end(
    args: string[],
    signal: NodeJS.Signals,
    env: Record<string, string>,
  ): Promise<End> {
    const manager = new RunningNode(args, {
      cwd: folder,
      env: { ...env, PM2_HOME: join(folder, '.pm2'), NO_COLOR: '1' },
    });
    await manager.waitFor(/ready/);
    manager.child.kill(signal);
    const { code, signal: by, stdout } = await manager.result();
    // The output of the application and that of its manager come by ways of their own.
    const remarks = stdout.match(/own handler|exited with code .*?\]( via signal \[\w+\])?/g) ?? [];
    return { code, signal: by, remarks: remarks.toSorted() };
  }

  for (const [title, path, args, env] of [
    ['pm2', 'pm2/bin/pm2-runtime', ['start', 'app.mjs'], {}],
    ['pm2 in cluster mode', 'pm2/bin/pm2-runtime', ['start', 'app.mjs', '-i', '1'], {}],
    [
      'pm2 with a handler of its own',
      'pm2/bin/pm2-runtime',
      ['start', 'app.mjs'],
      { OWN_HANDLER: '1' },
    ],
    ['nodemon', 'nodemon/bin/nodemon.js', ['app.mjs'], {}],
  ] as const) {
    it(`${title}: ends at SIGTERM and SIGINT as without it, with its spans and its own name`, async () => {
      const launch = [join(tools, path), ...args];
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        receiver.spans.length = 0;
        const bare = await end(launch, signal, env);
        const traced = await end(launch, signal, {
          ...env,
          NODE_OPTIONS: `--import ${REGISTER_URL}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        });
        assert.deepEqual(traced, bare, signal);
        const services = receiver.spans.map(({ resource }) => resource['service.name']);
        // One of the client and one of the server; with exit() in a handler they may be under way.
        if (!('OWN_HANDLER' in env)) assert.deepEqual(services, ['shop', 'shop'], signal);
        else assert.ok(bare.remarks.includes('own handler'));
      }
    });
  }

  it('pm2 in cluster mode: follows the variables of its ecosystem file', async () => {
    const application = {
      name: 'shop',
      script: 'app.mjs',
      exec_mode: 'cluster',
      instances: 1,
      node_args: `--import ${REGISTER_URL}`,
      env: { OTEL_SERVICE_NAME: 'ecosystem', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    };
    writeFileSync(
      join(folder, 'ecosystem.config.cjs'),
      `module.exports = ${JSON.stringify({ apps: [application] })};`,
    );
    await end([join(tools, 'pm2/bin/pm2-runtime'), 'start', 'ecosystem.config.cjs'], 'SIGTERM', {});
    const services = receiver.spans.map(({ resource }) => resource['service.name']);
    assert.deepEqual(services, ['ecosystem', 'ecosystem']);
  });
});
