import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { runNode, type Result } from '../support/run-node.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { folderWith } from './support.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TOOLS = [
  '@yarnpkg/cli-dist@4.18.1',
  'jest@30.5.2',
  'pnpm@12.21.0',
  'ts-node@10.9.2',
  'tsx@4.23.15',
  'typescript@5.9.3',
  'vitest@4.1.12',
];

/** Beside clew itself, which is all that an application has to install. */
const DEPENDENCIES = { dataloader: '2.2.3' };

const BODY = `
const loader = new DataLoader(async (keys) => keys);
const server = createServer(async (request, response) => {
  response.end(String(await loader.load(1)));
}).listen(0, '127.0.0.1', async () => {
  const answer = await fetch('http://127.0.0.1:' + server.address().port);
  console.log('answer', await answer.text());
  server.close();
});\n`;
const APP = `import { createServer } from 'node:http';\nimport DataLoader from 'dataloader';\n${BODY}`;
const REQUIRING_APP = `const { createServer } = require('node:http');
const DataLoader = require('dataloader');\n${BODY}`;
const FILES = {
  'app.mjs': APP,
  'app.mts': APP,
  'app.cjs': REQUIRING_APP,
  'required.ts': REQUIRING_APP,
  'bundled.mjs': `import { start } from 'clew';\nstart();\nawait import('./app.mjs');\n`,
  'tsconfig.json': '{ "compilerOptions": { "module": "commonjs", "esModuleInterop": true } }',
  'one.test.mjs': `import { expect, it } from 'vitest';
it('one', () => expect(1).toBe(1));\n`,
  'two.test.mjs': `import { start } from 'clew';
import { expect, it } from 'vitest';
it('two', async () => {
  const clew = start();
  expect(clew.stats()).toBeDefined();
  await clew.shutdown();
});\n`,
};

describe('clew/register beside', function () {
  this.timeout(300_000);
  let receiver: OtlpReceiver;
  let tools: string;
  let folder: string;
  let remove: () => void;

  before(async function () {
    this.timeout(600_000);
    tools = join(cachedInstall('launching-tools-1', TOOLS), 'node_modules');
    ({ folder, remove } = folderWith(FILES));
    const dependencies = { ...DEPENDENCIES, clew: `file:${pack(folder)}` };
    const manifest = { name: 'app', version: '1.0.0', private: true, dependencies };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    receiver = await new OtlpReceiver().listen();
  });
  after(async () => {
    await receiver.close();
    remove();
  });

  const launch = async (args: string[], cwd = folder): Promise<Result> => {
    receiver.spans.length = 0;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, NO_COLOR: '1' };
    return runNode(['--no-warnings', ...args], { cwd, env });
  };
  const expectSpans = async (args: string[], cwd?: string): Promise<void> => {
    const { stdout, stderr, code } = await launch(args, cwd);
    assert.equal(stdout, 'answer 1\n', `${args.join(' ')}: ${stderr}`);
    assert.equal(code, 0);
    const scopes = receiver.spans.map((span) => span.scope.name);
    assert.ok(scopes.includes('clew/dataloader'), `${args.join(' ')}: ${scopes.join()} ${stderr}`);
  };

  it('Yarn with Plug’n’Play', async () => {
    const yarn = join(tools, '@yarnpkg/cli-dist/bin/yarn.js');
    const project = copyOf(folder, 'pnp');
    writeFileSync(
      join(project, '.yarnrc.yml'),
      // Where `CI` is set, Yarn refuses to write a lock file unless it is told to.
      'nodeLinker: pnp\nenableTelemetry: false\nenableGlobalCache: false\n' +
        'enableImmutableInstalls: false\nenableHardenedMode: false\n',
    );
    writeFileSync(join(project, 'yarn.lock'), '');
    install(process.execPath, [yarn, 'install'], project);
    for (const file of ['app.mjs', 'app.cjs']) {
      await expectSpans([yarn, 'node', '--import', 'clew/register', file], project);
      const { stdout, stderr, code } = await launch(
        [yarn, 'node', '--require', 'clew/register', file],
        project,
      );
      assert.equal(stdout, 'answer 1\n');
      assert.equal(code, 0);
      // Where it cannot be required, one line of help and no path of an archive.
      if (stderr !== '') {
        assert.match(
          stderr,
          /^clew: Node 20\S* cannot --require .* --import clew\/register\. The app.*\n$/,
        );
      }
    }
  });

  it('pnpm', async () => {
    const project = copyOf(folder, 'pnpm');
    const pnpm = join(tools, 'pnpm/bin/pnpm.mjs');
    const args = [pnpm, 'install', '--ignore-workspace', '--no-frozen-lockfile'];
    install(process.execPath, args, project);
    await expectSpans(['--import', 'clew/register', 'app.mjs'], project);
  });

  describe('in a folder that npm installed', () => {
    before(() => {
      install('npm', ['i', '--no-audit', '--no-fund'], folder);
    });

    it('tsx, before and after', async () => {
      const tsx = ['--import', join(tools, 'tsx/dist/loader.mjs')];
      await expectSpans(['--import', 'clew/register', ...tsx, 'app.mts']);
      await expectSpans([...tsx, '--import', 'clew/register', 'app.mts']);
      await expectSpans([...tsx, '--import', 'clew/register', 'app.cjs']);
    });

    it('ts-node', async () => {
      const register = join(tools, 'ts-node/register/transpile-only');
      await expectSpans(['--require', 'clew/register', '--require', register, 'required.ts']);
    });

    it('vitest and jest, whose tests run', async () => {
      const vitest = join(tools, 'vitest/vitest.mjs');
      // In a VM a module's `require` is a getter.
      for (const pool of ['--pool=forks', '--pool=vmThreads']) {
        const ran = await launch(['--import', 'clew/register', vitest, 'run', pool]);
        assert.match(ran.stdout, /Tests +2 passed/, ran.stdout + ran.stderr);
      }
      mkdirSync(join(folder, 'jest'));
      writeFileSync(
        join(folder, 'jest', 'one.test.js'),
        `const Loader = require('dataloader');
test('one', async () => expect(await new Loader(async (keys) => keys).load(1)).toBe(1));\n`,
      );
      const jest = join(tools, 'jest/bin/jest.js');
      const tested = await launch(['--import', 'clew/register', jest, '--rootDir', 'jest']);
      assert.match(tested.stderr, /1 passed/);
      const lines = tested.stderr.match(/^clew: .*/gm);
      assert.deepEqual(lines, [
        'clew: jest bypasses all hooks when it loads the modules of tests: libraries that they use have no spans; node:http has.',
      ]);
    });

    it('a bundle that holds clew, as an ES module without a banner', async () => {
      await build({
        entryPoints: [join(folder, 'bundled.mjs')],
        outfile: join(folder, 'out', 'bundled.mjs'),
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'silent',
        external: ['dataloader'],
      });
      const { stdout, code } = await launch(['out/bundled.mjs']);
      assert.equal(stdout, 'answer 1\n');
      assert.equal(code, 0);
      assert.ok(receiver.spans.some((span) => span.kind === 2));
    });
  });
});

/** Runs a package manager; its error holds what it wrote, which Yarn does on stdout. */
function install(command: string, args: readonly string[], cwd: string): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  const title = [command, ...args].join(' ');
  assert.equal(status, 0, `${title}: ${error?.message ?? ''}\n${stdout}${stderr}`);
}

function pack(folder: string): string {
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const name = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  return join(folder, name);
}

/** A folder inside `folder` with its files, and nothing installed. */
function copyOf(folder: string, name: string): string {
  const copy = join(folder, name);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const file of ['package.json', 'app.mjs', 'app.cjs']) {
    execFileSync('cp', [join(folder, file), copy]);
  }
  return copy;
}
