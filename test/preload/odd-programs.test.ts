import assert from 'node:assert/strict';

import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { RunningNode, type Result } from '../support/run-node.ts';
import { folderWith, PRELOADS } from './support.ts';

/** Serves one request, then calls `then`. */
const SERVE = `
const http = require('node:http');
const serve = (then) => {
  const server = http.createServer((request, response) => response.end());
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume().on('end', () => then(server.close()));
    });
  });
};
`;

/** Programs that only an instrumentation can tell from ordinary ones, by what they print. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'loops over what a prototype inherits': `
    const { Agent, ClientRequest, IncomingMessage, Server, ServerResponse } = http;
    const classes = [Agent, ClientRequest, IncomingMessage, Server, ServerResponse];
    serve((server) => {
      const names = (object) => { const all = []; for (const name in object) all.push(name); return all.sort().join(); };
      for (const { prototype } of classes) console.log(names(prototype));
      console.log(names(server));
      console.log(Object.keys(server).join());
      console.log(Object.keys(process).filter((name) => name === 'emit'));
    });`,
  'looks at the functions of Node': `
    const { Worker } = require('node:worker_threads');
    serve(() => {
      console.log(Object.getPrototypeOf(Worker) === require('node:events'), Worker.length);
      console.log([process.kill, process.emit, http.get].map(({ name, length }) => name + length));
      try { process.kill(process.pid, 'SIGNONE'); } catch ({ message }) { console.log(message); }
      class Own extends Worker {}
      const own = new Own('', { eval: true });
      own.on('exit', (code) => console.log(code, own instanceof Own, own instanceof Worker));
    });`,
  'has timers of its own': `
    const own = {};
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
      own[name] = globalThis[name];
      globalThis[name] = () => { throw new Error(name + ' is called'); };
    }
    serve(() => own.setTimeout(() => console.log('served'), 300));`,
  'has no timers': `
    const { setTimeout: later } = globalThis;
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (/^(set|clear)[A-Z]|^queueMicrotask$/.test(name)) delete globalThis[name];
    }
    serve(() => later(() => console.log('served'), 300));`,
  'runs in a folder that was deleted': `
    serve(() => { try { process.cwd(); } catch ({ code }) { console.log(code); } });`,
};

describe('odd programs under the preload', function () {
  this.timeout(60_000);
  let receiver: OtlpReceiver;
  before(async () => (receiver = await startReceiver()));
  after(() => receiver.close());
  afterEach(() => receiver.clear());

  /** Runs a program in a folder of its own, which may be deleted before Node starts. */
  async function runOdd(name: string, flags: readonly string[], url: string): Promise<Result> {
    const { folder, remove } = folderWith({});
    const script = name.includes('deleted') ? 'rmdir "$PWD"; exec "$@"' : 'exec "$@"';
    const node = [process.execPath, ...flags, '-e', SERVE + PROGRAMS[name]];
    try {
      return await new RunningNode(['-c', script, 'sh', ...node], {
        node: '/bin/sh',
        cwd: folder,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: url },
      }).result();
    } finally {
      remove();
    }
  }

  for (const name of Object.keys(PROGRAMS)) {
    for (const [how, flags] of Object.entries(PRELOADS)) {
      it(`${how}: print what they print without it: one that ${name}`, async () => {
        const bare = await runOdd(name, [], receiver.url);
        assert.equal(bare.code, 0, bare.stderr);
        const { stderr, ...ran } = await runOdd(name, flags, receiver.url);
        // Where Node has its import hooks in a thread, which it does not start in such a folder.
        const unexpected = stderr.replace(/^clew: modules loaded by .* folder was deleted\n$/, '');
        assert.deepEqual({ ...ran, stderr: unexpected }, bare);
        assert.equal(receiver.distinct, 2, 'the spans of its request');
      });
    }
  }

  it('ends as without it where its timers are replaced and no collector answers', async () => {
    const { code, stdout, stderr } = await runOdd(
      'has timers of its own',
      PRELOADS['--import'] ?? [],
      'http://127.0.0.1:9',
    );
    assert.deepEqual([code, stdout], [0, 'served\n']);
    assert.match(stderr, /^clew: No spans reach the collector/);
    assert.doesNotMatch(stderr, /is called/);
  });
});
