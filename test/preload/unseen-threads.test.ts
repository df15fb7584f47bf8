import assert from 'node:assert/strict';
import { once } from 'node:events';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { RunningNode } from '../support/run-node.ts';
import { folderWith, PRELOADS } from './support.ts';

/** A server that ends itself at a request for /end, before which it logs. */
const APP = `
const { createServer } = require('node:http');
const { Worker } = require('node:worker_threads');
process.on('worker', (worker) => console.log('saw', worker.isOwn));
const server = createServer((request, response) => {
  response.end();
  if (request.url !== '/end') return;
  console.log('nobody reads this');
  server.close();
  server.closeAllConnections();
});
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
// The output of a thread of its own is piped to that of the process, but for this.
new Worker('', { eval: true, stdout: true, stderr: true }).isOwn = true;
`;

const LOADER = `
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(
  'export const load = (...args) => { console.log("loads"); return args[2](...args.slice(0, 2)); }'
));
`;

describe("threads of clew's own", function () {
  this.timeout(60_000);
  let receiver: OtlpReceiver;
  let folder: string;
  let remove: () => void;
  before(async () => {
    receiver = await startReceiver();
    ({ folder, remove } = folderWith({
      'app.cjs': APP,
      'loader.mjs': LOADER,
      'module.mjs': `import './other.mjs'`,
      'other.mjs': `setInterval(() => {}, 1000)`,
    }));
  });
  after(async () => {
    remove();
    await receiver.close();
  });
  afterEach(() => receiver.clear());

  for (const [how, flags] of Object.entries({ bare: [], ...PRELOADS })) {
    it(`${how}: are not reported, and output that nobody reads is ignored`, async () => {
      const app = new RunningNode([...flags, 'app.cjs'], {
        cwd: folder,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '10' },
      });
      await app.waitFor(/saw/);
      const [, port = ''] = await app.waitFor(/port (\d+)/);
      await fetch(`http://127.0.0.1:${port}/`);
      // The thread that sends spans is there.
      if (how !== 'bare') await receiver.waitForSpans(1);
      app.child.stdout.destroy();
      await once(app.child.stdout, 'close');
      await fetch(`http://127.0.0.1:${port}/end`);
      const { code, stdout, stderr } = await app.result();
      assert.equal(stdout.replace(/port \d+\n/, ''), 'saw true\n');
      assert.equal(stderr, '');
      assert.equal(code, 0);
    });
  }

  for (const [how, flags] of Object.entries({ bare: [], ...PRELOADS })) {
    it(`${how}: what a loader of the application prints is printed`, async () => {
      const app = new RunningNode(
        [...flags, '--no-deprecation', '--import', './loader.mjs', 'module.mjs'],
        {
          cwd: folder,
          env: { OTEL_TRACES_EXPORTER: 'none' },
        },
      );
      // It comes from a thread, later than what the module prints, and not at all after the end.
      await app.waitFor(/loads\n[^]*loads\n/);
      app.child.kill('SIGKILL');
      const { stderr } = await app.result();
      assert.equal(stderr, '');
    });
  }
});
