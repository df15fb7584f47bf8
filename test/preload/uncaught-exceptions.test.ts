import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { REGISTER_PATH, REGISTER_URL, runNode } from '../support/run-node.ts';

/**
 * Programs that end of an exception; each throws in a line of its own, and later than while it is
 * loaded: under any `--import` Node reports those of a CommonJS program in another way.
 */
const PROGRAMS: Readonly<Record<string, string>> = {
  'a handler of HTTP': `
    const server = require('http').createServer(() => {
      throw new TypeError('mine');
    }).listen(0, () => require('http').get({ port: server.address().port }).on('error', () => {}));`,
  'a handler of HTTP/2': `
    const http2 = require('http2');
    const server = http2.createServer(() => {
      throw new TypeError('mine');
    }).listen(0, () => http2.connect('http://localhost:' + server.address().port).request().end());`,
  'a method of the response': `
    const server = require('http').createServer((request, response) => {
      response.writeHead(5);
    }).listen(0, () => require('http').get({ port: server.address().port }).on('error', () => {}));`,
  'a listener of an outgoing response': `
    const server = require('http').createServer((request, response) => response.end());
    server.listen(0, () => require('http').get({ port: server.address().port }, () => {
      throw new TypeError('mine');
    }));`,
  'a callback of a write': `
    process.stdout.write('', () => {
      throw new TypeError('mine');
    });`,
  'a listener of an event target': `
    const target = new EventTarget();
    target.addEventListener('x', () => {
      throw new TypeError('mine');
    });
    target.dispatchEvent(new Event('x'));`,
  'the constructor of a worker': `
    const { Worker } = require('worker_threads');
    setImmediate(() => new Worker(5));`,
  'a child process': `
    setImmediate(() => require('child_process').execFileSync('/no/such/program'));`,
};

describe('an uncaught exception under the preload', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'clew-uncaught-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The exit code and what Node prints above the stack: where it was thrown, and what. */
  async function endOf(file: string, preload: string[]): Promise<[number | null, string]> {
    const { code, stderr } = await runNode([...preload, file], {
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
    return [code, stderr.split(/\n {4}at /)[0] ?? ''];
  }

  for (const [thrower, program] of Object.entries(PROGRAMS)) {
    it(`of ${thrower} shows the line that it shows without`, async () => {
      const file = join(folder, 'app.cjs');
      writeFileSync(file, program);
      const bare = await endOf(file, []);
      assert.equal(bare[0], 1);
      assert.deepEqual(await endOf(file, ['--import', REGISTER_URL]), bare);
      assert.deepEqual(await endOf(file, ['--require', REGISTER_PATH]), bare);
    });
  }
});
