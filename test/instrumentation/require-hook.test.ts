import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { hookRequire, type Required } from '../../src/instrumentation/require-hook.ts';
import { runNode, REGISTER_PATH } from '../support/run-node.ts';
import { cachedInstall } from '../support/user-cache.ts';

const FILES: Record<string, string> = {
  'app.js': '',
  'local.js': 'exports.local = true;',
  'node_modules/whole/package.json': '{ "version": "1.2.3", "main": "lib" }',
  'node_modules/whole/lib/index.js': `module.exports = require('./inner');`,
  'node_modules/whole/lib/inner.js': 'exports.inner = true;',
  'node_modules/@a/circle/index.js': `exports.early = true; require('./back'); exports.late = true;`,
  'node_modules/@a/circle/back.js': `exports.seen = Object.keys(require('./index'));`,
};

const HOOK = new URL('../../src/instrumentation/require-hook.js', import.meta.url).href;
const MOCKS = `
  import Module, { createRequire } from 'node:module';
  const { hookRequire } = await import(process.argv[2]);
  const require = createRequire(import.meta.url);
  const seen = [];
  hookRequire(({ name, exports }) => (seen.push(name), exports));
  const mock = { mock: true };
  const shown = (exports) => (exports === mock ? 'mock' : 'not the mock');
  require.cache.string_decoder = { exports: mock };
  const decoder = shown(require('string_decoder'));
  delete require.cache.string_decoder;
  const load = Module._load;
  Module._load = (id, ...rest) => (id === 'whole' ? mock : load(id, ...rest));
  const whole = shown(require('whole'));
  Module._load = load;
  const before = seen.join();
  require('whole');
  console.log(\`string_decoder: \${decoder}, whole: \${whole}, seen: \${before}, then: \${seen.toSorted()}\`);
`;

/** Counts what the resolve hooks of an application are asked, beside its own `require` calls. */
const RESOLVES = `
  import Module, { createRequire } from 'node:module';
  const require = createRequire(import.meta.url);
  const asked = [];
  if (Module.registerHooks) {
    Module.registerHooks({
      resolve: (specifier, context, next) => (asked.push(specifier), next(specifier, context)),
    });
  } else {
    const { _resolveFilename: resolve } = Module;
    Module._resolveFilename = (id, ...rest) => (asked.push(id), resolve(id, ...rest));
  }
  require('whole');
  // The preload looks for other tools a moment after the start, and after it saw the first one.
  setTimeout(() => console.log(asked.toSorted().join()), 1500);
`;

describe('hookRequire', () => {
  let folder: string;
  let require: NodeJS.Require;
  let seen: string[];
  let undo: () => void;
  let onRequired: (required: Required) => unknown;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    for (const [file, source] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), source);
    }
    require = createRequire(join(folder, 'app.js'));
    seen = [];
    onRequired = ({ exports }) => exports as unknown;
    undo = hookRequire((required) => {
      seen.push(`${required.name} ${required.baseDir?.slice(folder.length) ?? 'built in'}`);
      return onRequired(required);
    });
  });
  afterEach(() => {
    undo();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reports each file of a package once, by its name in the package, and of no other', () => {
    for (const id of ['./local', 'whole', 'whole', 'whole/lib/inner', './local']) require(id);
    const base = '/node_modules/whole';
    // Both have the same exports.
    assert.deepEqual(seen, [`whole/lib/inner.js ${base}`, `whole ${base}`]);
  });

  it('reports a module in a circle when it is whole', () => {
    const lates: unknown[] = [];
    onRequired = ({ exports, name }) => {
      if (name === '@a/circle') lates.push((exports as { late?: boolean }).late);
      return exports as unknown;
    };
    assert.equal((require('@a/circle') as { late: boolean }).late, true);
    assert.deepEqual(lates, [true]);
    assert.deepEqual(require('@a/circle/back'), { seen: ['early'] });
  });

  it('reports modules of Node by one name, however they are asked for', () => {
    const same = new Set([
      require('node:string_decoder'),
      require('string_decoder'),
      process.getBuiltinModule('string_decoder'),
    ]);
    assert.equal(same.size, 1);
    assert.deepEqual(seen, ['string_decoder built in']);
    assert.equal(process.getBuiltinModule('no such' as 'fs'), undefined);
  });

  it('hands out what takes the place of a module, until that is taken back', () => {
    const undos: (() => void)[] = [];
    onRequired = ({ exports, name, takeBack }) => {
      undos.push(takeBack);
      return name === 'whole' ? { replaced: true } : (exports as unknown);
    };
    assert.deepEqual(require('whole'), { replaced: true });
    assert.deepEqual(require('whole'), { replaced: true });
    for (const takeBack of undos) takeBack();
    assert.deepEqual(require('whole'), { inner: true });
  });

  it('leaves alone what is put in the place of a module', async () => {
    // In a process of its own: hooks of other tools, which other tests load, keep what they have seen.
    const program = join(folder, 'program.mjs');
    writeFileSync(program, MOCKS);
    const { stdout, stderr } = await runNode([program, HOOK]);
    assert.equal(
      stdout,
      'string_decoder: mock, whole: mock, seen: , then: whole,whole/lib/inner.js\n',
      stderr,
    );
  });

  it('asks resolve hooks of the application nothing, and neither does the preload later', async function () {
    this.timeout(120_000);
    const program = join(folder, 'program.mjs');
    writeFileSync(program, RESOLVES);
    const env = { OTEL_TRACES_EXPORTER: 'none' };
    const { stdout, stderr } = await runNode(['--require', REGISTER_PATH, program], { env });
    assert.equal(stdout, './inner,whole\n', stderr);
  });

  it('passes errors on, of a module and of a name that is none', () => {
    assert.throws(() => require('missing') as unknown, { code: 'MODULE_NOT_FOUND' });
    assert.throws(() => require('node:missing') as unknown, { code: 'ERR_UNKNOWN_BUILTIN_MODULE' });
    assert.throws(() => require(undefined as never) as unknown, { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('leaves nothing behind when it is undone', () => {
    undo();
    assert.deepEqual(require('whole'), { inner: true });
    assert.deepEqual(seen, []);
    assert.equal(Object.hasOwn(Module.prototype, 'require'), true);
  });

  it('lets mock-require, mockery and proxyquire do their work under the preload', async function () {
    this.timeout(120_000);
    const packages = ['mock-require@3.0.3', 'mockery@2.1.0', 'proxyquire@2.1.3', 'ms@2.1.3'];
    const file = join(cachedInstall('mocks-1', packages), 'mocks.cjs');
    const tested = join(folder, 'tested.cjs');
    writeFileSync(tested, `module.exports = [require('os').mock, require('ms').mock];`);
    writeFileSync(
      file,
      `const real = [require('os').EOL, typeof require('ms')];
       const look = () => [require('os').mock, require('ms').mock];
       const seen = [];
       const mock = require('mock-require');
       for (const name of ['os', 'ms']) mock(name, { mock: 1 });
       seen.push(look());
       mock.stopAll();
       const mockery = require('mockery');
       mockery.enable({ warnOnUnregistered: false, useCleanCache: false });
       for (const name of ['os', 'ms']) mockery.registerMock(name, { mock: 2 });
       seen.push(look());
       mockery.disable();
       const proxyquire = require('proxyquire').noCallThru();
       seen.push(proxyquire(${JSON.stringify(tested)}, { os: { mock: 3 }, ms: { mock: 3 } }), look());
       console.log(JSON.stringify(seen));`,
    );
    const { stdout, stderr } = await runNode(['--require', REGISTER_PATH, file], {
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
    assert.deepEqual(
      JSON.parse(stdout),
      [
        [1, 1],
        [2, 2],
        [3, 3],
        [null, null],
      ],
      stderr,
    );
  });
});
