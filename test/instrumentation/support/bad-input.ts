import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runNode } from '../../support/run-node.ts';
import { requireService, type ServiceName } from '../../support/services.ts';

const PRELOAD = new URL('../../fixtures/instrumentation/preload.js', import.meta.url).href;
// A folder of its own for each run: that of another Node may go on beside this one.
const FOLDER = fileURLToPath(new URL(`../../../bad-input/${process.pid}/`, import.meta.url));
const here = createRequire(import.meta.url);

export interface ClientOfApplication {
  service?: ServiceName;
  /** How the client is found where it is no ordinary dependency. */
  find?: (suite: Mocha.Context) => NodeJS.Require;
  /** The body of `async (client, url) => rows`: `select 1 as n`. */
  use: string;
  /** Whether the client is a function that is replaced, and not patched. */
  isReplaced?: boolean;
  /** How many spans a driver below has, whatever becomes of this client. */
  below?: number;
}

/** Tests a client in versions, at times and in numbers that are not what is usual. */
export function describeBadInput(
  name: string,
  { service, find, use, isReplaced, below = 0 }: ClientOfApplication,
): void {
  describe(`${name} that is not as expected`, function () {
    this.timeout(120_000);
    const folder = join(FOLDER, name.replace('/', '-'));
    let source: string;
    let url = '';

    before(async function () {
      if (service) url = await requireService(this, service);
      const require = find ? find(this) : here;
      const entry = require.resolve(name);
      const inside = join('node_modules', name);
      source = entry.slice(0, entry.lastIndexOf(inside) + inside.length);
    });

    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const copy = (place: string, version?: string): string => {
      const target = join(folder, place, 'node_modules', name);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(source, target, { recursive: true });
      if (version !== undefined) {
        const file = join(target, 'package.json');
        const manifest = JSON.parse(readFileSync(file, 'utf8')) as object;
        writeFileSync(file, JSON.stringify({ ...manifest, version }));
      }
      return join(folder, place, 'index.js');
    };

    /** What the application printed: its rows, the spans, and what was said about this. */
    const run = async (application: string): Promise<unknown> => {
      const program = `
        const { createRequire } = require('node:module');
        const use = async (client) => {
          const rows = await (async (client, url) => { ${use} })(client, process.env.URL);
          console.log('rows', JSON.stringify(rows));
        };
        const preload = () => import('${PRELOAD}');
        (async () => { ${application} })();`;
      const result = await runNode(['--input-type=commonjs', '--eval', program], {
        // A copy finds what its package depends on beside the original.
        env: { URL: url, NODE_PATH: source.slice(0, -name.length - 1) },
      });
      assert.equal(result.code, 0, result.stderr);
      const lines = result.stdout.trim().split('\n');
      return {
        rows: lines.filter((line) => line.startsWith('rows')),
        spans: lines.filter((line) => line.startsWith('{')).length,
        said: result.stderr.split('\n').filter((line) => line.startsWith('clew:')),
      };
    };

    const load = (file: string): string =>
      `createRequire(${JSON.stringify(file)})(${JSON.stringify(name)})`;
    const rows = 'rows [{"n":1}]';

    it('is left alone outside of the supported versions, which is reported once', async () => {
      const file = copy('outside', '99.0.0');
      const { said, ...seen } = (await run(`await preload(); await use(${load(file)});`)) as {
        said: string[];
      };
      assert.deepEqual(seen, { rows: [rows], spans: below });
      assert.equal(said.length, 1);
      assert.ok(said[0]?.startsWith(`clew: ${name} 99.0.0 is not instrumented: supported is `));
    });

    it('serves an application that loaded it before the instrumentation', async () => {
      const file = copy('early');
      const seen = await run(`const client = ${load(file)}; await preload(); await use(client);`);
      const said = `clew: ${name} was loaded before its instrumentation: the modules that loaded it get it uninstrumented.`;
      assert.deepEqual(seen, {
        rows: [rows],
        spans: isReplaced ? 0 : below || 1,
        said: isReplaced ? [said] : [],
      });
    });

    it('is instrumented in each of two copies', async () => {
      const [first, second] = [copy('first'), copy('second')];
      const seen = await run(
        `await preload(); await use(${load(first)}); await use(${load(second)});`,
      );
      assert.deepEqual(seen, { rows: [rows, rows], spans: 2 * (below || 1), said: [] });
    });
  });
}
