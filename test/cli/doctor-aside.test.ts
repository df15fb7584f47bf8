import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { MAIN, Project } from '../diagnosis/project.ts';
import { RunningNode } from '../support/run-node.ts';

/** Serves three requests at once, each of which loses its context, and ends. */
const SERVE = `
const http = require('node:http');
const atStartUp = require('node:async_hooks').AsyncLocalStorage.snapshot();
const server = http.createServer((req, res) => {
  atStartUp(() => setImmediate(() => res.end())); // lost
}).listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port;
  await Promise.all([1, 2, 3].map(() => fetch(url).then((response) => response.text())));
  server.close();
  server.closeAllConnections();
});
`;
const APPLICATIONS: Record<string, string> = {
  'a worker thread': `
    const { Worker } = require('node:worker_threads');
    new Worker(require.resolve('./serve.cjs'));`,
  'a forked process': `require('node:child_process').fork(require.resolve('./serve.cjs'));`,
  'the main thread and a worker thread': `
    const { Worker } = require('node:worker_threads');
    new Worker(require.resolve('./serve.cjs'));
    require('./serve.cjs');`,
};
/**
 * Workers of a cluster that lose three requests each and end as their number says. Each listens on a
 * port of its own: a shared one would leave it to chance who serves which request.
 */
const CLUSTER = `
const cluster = require('node:cluster');
const http = require('node:http');
let server;
const ends = {
  disconnect: () => (server.close(), server.closeAllConnections(), cluster.worker.disconnect()),
  exit: () => process.exit(3),
  throw: () => setImmediate(() => { throw new Error('expected'); }),
  signal: () => process.kill(process.pid, 'SIGTERM'),
  killed: () => process.send('kill me'),
  // With the primary.
  stay: () => process.send('ready'),
};
if (cluster.isPrimary) {
  const all = process.argv.slice(2);
  let left = all.length;
  const done = () => {
    if (--left > 0) return;
    console.log('all are done');
    if (all.includes('exit')) process.exit();
  };
  for (const end of all) {
    const worker = cluster.fork({ END: end });
    worker.on('message', (message) => message === 'kill me' ? worker.kill() : done());
    if (end !== 'stay') worker.once('exit', done);
  }
} else {
  const atStartUp = require('node:async_hooks').AsyncLocalStorage.snapshot();
  server = http.createServer((req, res) => {
    atStartUp(() => setImmediate(() => res.end())); // lost
  }).listen({ port: 0, host: '127.0.0.1', exclusive: true }, async () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    await Promise.all([1, 2, 3].map(() => fetch(url).then((response) => response.text())));
    ends[process.env.END]();
  });
}
`;
/** A child that ends in its own time after its parent, which it has a last loss for. */
const OUTLIVES = `
if (process.send) {
  process.once('disconnect', () => {
    const end = performance.now() + 1200;
    process.once('exit', () => { while (performance.now() < end); });
    require('./serve.cjs');
  });
  process.send('here');
} else {
  require('node:child_process').fork(__filename).once('message', () => process.exit());
}
`;

describe('clew doctor', function () {
  this.timeout(180_000);
  let project: Project;

  before(() => {
    project = new Project();
    writeFileSync(project.path('serve.cjs'), SERVE);
  });
  after(() => project.remove());

  for (const [what, application] of Object.entries(APPLICATIONS)) {
    it(`finds what is lost in ${what}`, async () => {
      writeFileSync(project.path('app.cjs'), application);
      const { report, result } = await project.doctor('app.cjs');
      const times = /and a/.test(what) ? 2 : 1;
      assert.equal(result.code, 1, result.stderr);
      assert.equal(report.requests, 3 * times);
      const [finding, ...more] = report.findings;
      assert.deepEqual(more, []);
      assert.equal(finding?.number, 1);
      assert.equal(finding.count, 3 * times);
      assert.equal(finding.owner?.count, 3 * times);
      assert.match(finding.summary, new RegExp(`^LOST ${3 * times} × `));
      assert.match(finding.owner.evidence, new RegExp(`^each of ${3 * times} callbacks`));
      assert.equal(finding.yourLine?.line, project.line('serve.cjs', '// lost'));
    });
  }

  it('reports what a worker thread lost that the process ends with itself', async () => {
    const application = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(require.resolve('./serve.cjs'));
      worker.once('exit', () => process.exit());
      setInterval(() => undefined, 1000);`;
    writeFileSync(project.path('app.cjs'), application);
    const { report } = await project.doctor('app.cjs');
    assert.equal(report.findings[0]?.count, 3);
  });

  it('reports what a worker thread lost that is terminated soon after', async () => {
    writeFileSync(
      project.path('stays.cjs'),
      `require('./serve.cjs');
       const end = require('node:worker_threads').parentPort;
       process.once('beforeExit', () => setTimeout(() => end.postMessage('served'), 800));`,
    );
    const application = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(require.resolve('./stays.cjs'));
      worker.once('message', () => worker.terminate());`;
    writeFileSync(project.path('app.cjs'), application);
    const { report } = await project.doctor('app.cjs');
    assert.equal(report.findings[0]?.count, 3);
  });

  it('reports that nothing was seen where threads and processes serve nothing', async () => {
    const application = `
      const { Worker } = require('node:worker_threads');
      new Worker('', { eval: true });`;
    writeFileSync(project.path('app.cjs'), application);
    const { code, stdout } = await project.clew('doctor', 'app.cjs');
    assert.equal(code, 0);
    assert.match(stdout, /nothing was seen/);
  });

  describe('of a cluster reports every loss of a worker that', () => {
    const run = (args: readonly string[]): RunningNode =>
      new RunningNode([MAIN, 'doctor', 'cluster.cjs', ...args], {
        cwd: project.folder,
        detached: true,
      });

    before(() => writeFileSync(project.path('cluster.cjs'), CLUSTER));

    it('disconnects, exits, throws or is killed, and of one that ends with a primary that exits', async () => {
      const ends = ['disconnect', 'exit', 'throw', 'signal', 'killed', 'stay'];
      const { code, stdout, stderr } = await run(ends).result();
      assert.equal(code, 1, stderr);
      assert.match(stdout, /clew doctor +18 requests[^]*LOST 18 × /);
      assert.match(stdout, new RegExp(`cluster.cjs:${project.line('cluster.cjs', '// lost')}\\n`));
    });

    for (const [what, to, signal] of [
      ['ends with a primary that a signal ends', 1, 'SIGTERM'],
      ['is in a group of processes which Ctrl-C ends', -1, 'SIGINT'],
    ] as const) {
      it(what, async () => {
        const running = run(['stay', 'stay']);
        await running.waitFor(/all are done/);
        process.kill(to * (running.child.pid as number), signal);
        const { code, stdout, stderr } = await running.result();
        assert.equal(code, 1, stderr);
        assert.match(stdout, /clew doctor +6 requests[^]*LOST 6 × /);
      });
    }
  });

  it('waits for the last report of a process that outlives its parent', async () => {
    writeFileSync(project.path('app.cjs'), OUTLIVES);
    const { report, result } = await project.doctor('app.cjs');
    assert.equal(report.findings[0]?.count, 3, result.stderr);
  });
});
