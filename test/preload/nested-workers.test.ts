import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { REGISTER_PATH, REGISTER_URL, runNode } from '../support/run-node.ts';

const INNER = `new (require('node:worker_threads').Worker)("console.log('deep')", { eval: true })`;

describe('a worker of a worker under the preload', () => {
  let folder: string;
  let receiver: OtlpReceiver;

  before(async () => (receiver = await new OtlpReceiver().listen()));
  after(() => receiver.close());

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'clew-nested-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  // Where a thread does not begin with clew, what it is given for clew stays in its data.
  for (const [thread, options] of Object.entries({
    'is a file': '{}',
    'is evaluated': '{ eval: true }',
    'is a file without the preload': '{ execArgv: [] }',
    'is evaluated without the preload': '{ eval: true, execArgv: [] }',
    'has an environment of its own': '{ env: {} }',
  })) {
    it(`runs where the outer ${thread}`, async () => {
      const inner = join(folder, 'inner.cjs');
      writeFileSync(inner, INNER);
      const app = join(folder, 'app.cjs');
      writeFileSync(
        app,
        `const { Worker } = require('node:worker_threads');
        const options = ${options};
        const worker = new Worker(options.eval ? ${JSON.stringify(INNER)} : ${JSON.stringify(inner)}, options);
        worker.on('error', (error) => console.log('failed', error));
        worker.on('exit', (code) => console.log('exit', code));`,
      );
      for (const preload of [`--import=${REGISTER_URL}`, `--require=${REGISTER_PATH}`]) {
        for (const inOptions of [true, false]) {
          const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
          const { stdout, stderr } = await (inOptions
            ? runNode([app], { env: { ...env, NODE_OPTIONS: preload } })
            : runNode([preload, app], { env }));
          assert.equal(stdout, 'deep\nexit 0\n', `${preload} ${stderr}`);
        }
      }
    }).timeout(60_000);
  }

  // On Node 20 each thread with a loader has a thread for it, made before the preload is loaded.
  for (const flags of [
    ['--experimental-loader', './loader.mjs'],
    ['--import', './register.mjs'],
  ]) {
    it(`is made by Node for ${flags.join(' ')}`, async () => {
      const files = {
        'loader.mjs': '',
        'register.mjs': `import { register } from 'node:module'; register('./loader.mjs', import.meta.url);`,
        'inner.cjs': `console.log('deep')`,
        'app.cjs': `new (require('node:worker_threads').Worker)(require.resolve('./inner.cjs'));`,
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
      const all = ['--no-warnings', ...flags, '--import', REGISTER_URL, 'app.cjs'];
      const { code, stdout, stderr } = await runNode(all, { env, cwd: folder });
      assert.deepEqual([code, stdout], [0, 'deep\n'], stderr);
    });
  }

  it('is made where there is no SharedArrayBuffer', async () => {
    const app = join(folder, 'app.cjs');
    writeFileSync(app, INNER);
    const flags = ['--enable-sharedarraybuffer-per-context', '--import', REGISTER_URL];
    const { code, stdout } = await runNode([...flags, app]);
    assert.deepEqual([code, stdout], [0, 'deep\n']);
  });
});
