import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { folderWith, PRELOADS, run, type Ran } from './support.ts';

/*
 * `OTEL_SDK_DISABLED=true`: a program that does not use the API of OpenTelemetry pays for the preload
 * file; in one that does, contexts are carried as ever.
 */
const DISABLED = { OTEL_SDK_DISABLED: 'true' };
const API = import.meta.resolve('@opentelemetry/api');
const CLEW = new URL('../../package/index.js', import.meta.url).href;
const FILES = {
  'plain.cjs': `console.log(JSON.stringify(process.moduleLoadList));\n`,
  'using.mjs': `
    import { context, createContextKey, propagation, trace } from '${API}';
    const KEY = createContextKey('key');
    const own = context.active().setValue(KEY, 'mine');
    const seen = await context.with(own, async () => {
      await null;
      return context.active().getValue(KEY);
    });
    console.log(seen, propagation.fields().join(), trace.getTracer('app').startSpan('s').isRecording());\n`,
  'first.mjs': `import { trace } from '${API}'; trace.getActiveSpan();\n`,
  'both.mjs': `
    import './first.mjs';
    import { start } from '${CLEW}';
    import { context } from '${API}';
    const clew = start();
    console.log(clew.tracer, clew.problems.length);
    await clew.shutdown();
    console.log(context.active() === context.with(context.active(), () => context.active()));\n`,
  'code.mjs': `
    import { start } from '${CLEW}';
    console.log(start({ wrong: 1 }).problems.length === 1 ? 'rejected' : 'another start');\n`,
  'imports.mjs': `
    import '${CLEW}';
    import { setTimeout } from 'node:timers/promises';
    import { context, createContextKey } from '${API}';
    const KEY = createContextKey('key');
    const own = context.active().setValue(KEY, 'mine');
    // The start is under way; the test's own time ends it where it never comes.
    while (!context.with(own, () => context.active().getValue(KEY))) await setTimeout(1);
    console.log(await context.with(own, async () => context.active().getValue(KEY)));\n`,
  'request.cjs': `
    const { AsyncLocalStorage, createHook } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const seen = [];
    const api = require(${JSON.stringify(new URL(API).pathname)});
    const { setGlobalContextManager } = api.context.constructor.prototype;
    api.context.constructor.prototype.setGlobalContextManager = function (manager) {
      seen.push(storage.getStore());
      return setGlobalContextManager.call(this, manager);
    };
    storage.run('request', () => {
      api.context.active();
      seen.push(storage.getStore());
    });
    console.log(JSON.stringify(seen.map((store) => store ?? 'none')));\n`,
};

describe('clew/register with OTEL_SDK_DISABLED=true', function () {
  this.timeout(60_000);
  let folder: string;
  let remove: () => void;
  before(() => ({ folder, remove } = folderWith(FILES)));
  after(() => remove());

  for (const [how, flags] of Object.entries(PRELOADS)) {
    describe(how, () => {
      const under = (args: readonly string[], env: Record<string, string> = {}): Ran =>
        run([...flags, ...args], { cwd: folder, env: { ...DISABLED, ...env } });

      /** The files that ran, by Node's own coverage. */
      const filesOf = (program: string, env: Record<string, string> = {}): string[] => {
        const coverage = mkdtempSync(join(tmpdir(), 'clew-test-'));
        const { code } = under([program], { ...env, NODE_V8_COVERAGE: coverage });
        assert.equal(code, 0);
        const urls = readdirSync(coverage).flatMap((file) => {
          const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
            result: { url: string }[];
          };
          return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
        });
        rmSync(coverage, { recursive: true });
        return urls.map((url) => basename(url)).filter((file) => file !== program);
      };

      it('loads the files of the preload and no other', () => {
        const expected = [
          how === '--import' ? 'register.js' : 'register.cjs',
          'launch.cjs',
          'until-api-is-used.cjs',
        ];
        assert.deepEqual(filesOf('plain.cjs').toSorted(), expected.toSorted());
        assert.deepEqual(
          filesOf('plain.cjs', { OTEL_SDK_DISABLED: ' TRUE ' }).toSorted(),
          expected.toSorted(),
        );
      });

      it("loads nothing of Node's that takes milliseconds or megabytes", () => {
        const loaded = JSON.parse(under(['plain.cjs']).stdout) as string[];
        const heavy = ['http', 'net', 'worker_threads', 'inspector', 'https', 'child_process'];
        const found = heavy.filter((name) => loaded.includes(`NativeModule ${name}`));
        assert.deepEqual(found, []);
      });

      for (const [name, value] of [
        ['OTEL_SDK_DISABLED', 'yes'],
        ['CLEW_REPAIR', 'on'],
        ['CLEW_REPORT_START', '1'],
        ['OTEL_LOG_LEVEL', 'debug'],
      ] as const) {
        it(`starts at once with ${name}=${value}`, () => {
          assert.ok(filesOf('plain.cjs', { [name]: value }).includes('start.js'));
        });
      }

      it('carries contexts and propagates them from the first use of the API on, without spans', () => {
        const { stdout, stderr, code } = under(['using.mjs']);
        assert.deepEqual(
          [stdout, stderr, code],
          ['mine traceparent,tracestate,baggage false\n', '', 0],
        );
      });

      it('starts outside of the request that is the first to use the API', () => {
        const { stdout, stderr } = under(['request.cjs']);
        assert.deepEqual([stdout, stderr], ['["none","request"]\n', '']);
      });

      it('starts while the application is still importing clew itself', () => {
        const { stdout, stderr } = under(['both.mjs']);
        assert.equal(stdout, 'undefined 0\ntrue\n');
        assert.equal(stderr, 'clew: start() was called twice; the second call has no effect.\n');
      });

      it('leaves the start to an application that calls start() as it begins', () => {
        const { stdout, stderr } = under(['code.mjs']);
        assert.equal(stdout, 'rejected\n');
        assert.match(stderr, /^clew: Unknown option `wrong` is ignored\..*\n$/);
      });

      it('starts where the application imports clew and does not call start()', () => {
        const { stdout, stderr } = under(['imports.mjs']);
        assert.deepEqual([stdout, stderr], ['mine\n', '']);
      });

      it('starts at once where the API was in use before', () => {
        const [flag] = flags;
        const first = ['--import', './first.mjs'];
        // Node runs what is required before what is imported.
        const args = flag === '--import' ? [...first, ...flags] : [...flags, ...first];
        const { stdout } = run([...args, 'using.mjs'], { cwd: folder, env: DISABLED });
        assert.match(stdout, /^mine traceparent/);
      });
    });
  }
});
