import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

import { folderWith, PRELOADS, run, type Ran } from './support.ts';

const FILES = {
  'package.json': '{ "private": true, "scripts": { "two": "node -p 1+1" } }',
  'ran.mjs': 'console.log("ran");\n',
  'ran.test.mjs': 'import test from "node:test";\ntest("one", () => {});\n',
  entry:
    '// of no known extension\nimport { platform } from "node:os";\nconsole.log(typeof platform);\n',
  'workers.cjs': `const { Worker } = require('node:worker_threads');
    new Worker('console.log("evaluated")', { eval: true });
    new Worker(new URL('data:text/javascript,console.log("data")'));
    new Worker('./ran.mjs');
    new Worker('./ran.mjs', { env: {}, execArgv: [] });\n`,
  'snapshot.cjs': `require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {
    console.log('started from a snapshot');
  });\n`,
};

/** How Node is launched, what it is given, and what it has to write on stdout. */
const LAUNCHES: [title: string, args: string[], expected: string | RegExp, input?: string][] = [
  ['-p', ['-p', '1+1'], '2\n'],
  ['-e', ['-e', 'console.log(typeof require("node:os").platform)'], 'function\n'],
  ['an ES module by -e', ['--input-type=module', '-e', FILES.entry], 'function\n'],
  ['standard input', [], 'piped\n', 'console.log("piped")'],
  [
    'an import from standard input',
    ['-'],
    'function\n',
    `import("node:os").then((os) =>
    console.log(typeof os.platform))`,
  ],
  ['--test', ['--test', 'ran.test.mjs'], /^(?:#|ℹ) pass 1$/m],
  ['a REPL', ['-i'], /^> 3$/m, '1+2\n'],
  ['--check', ['--check', 'ran.mjs'], ''],
  ['an entry without extension', ['./entry'], 'function\n'],
];

describe('clew/register with every way to launch Node', function () {
  this.timeout(120_000);
  let folder: string;
  let remove: () => void;

  before(() => ({ folder, remove } = folderWith(FILES)));
  after(() => remove());

  for (const [how, flags] of Object.entries(PRELOADS)) {
    const launch = (args: readonly string[], input?: string): Ran =>
      run([...flags, ...args], { cwd: folder, ...(input === undefined ? {} : { input }) });
    /** As in NODE_OPTIONS, which reaches every tool. */
    const launchByEnvironment = (args: readonly string[]): Ran =>
      run(args, { cwd: folder, env: { NODE_OPTIONS: flags.join(' ') } });

    it(`${how}: all as without it`, () => {
      for (const [title, args, expected, input] of LAUNCHES) {
        const { stdout, stderr, code } = launch(args, input);
        assert.equal(code, 0, `${title}: ${stderr}`);
        assert.equal(stderr, '', title);
        if (typeof expected === 'string') assert.equal(stdout, expected, title);
        else assert.match(stdout, expected, title);
      }
    });

    it(`${how}: workers from a string, a data URL and a file`, () => {
      for (const result of [launch(['workers.cjs']), launchByEnvironment(['workers.cjs'])]) {
        assert.equal(result.stderr, '');
        assert.deepEqual(result.stdout.trim().split('\n').toSorted(), [
          'data',
          'evaluated',
          'ran',
          'ran',
        ]);
      }
    });

    it(`${how} in NODE_OPTIONS: -p, an entry without extension, --run`, () => {
      assert.equal(launchByEnvironment(['-p', '1+1']).stdout, '2\n');
      assert.equal(launchByEnvironment(['./entry']).stdout, 'function\n');
      if (!process.allowedNodeEnvironmentFlags.has('--run') && !hasFlag('--run')) return;
      assert.match(launchByEnvironment(['--run', 'two']).stdout, /^2$/m);
    });

    it(`${how}: a start-up snapshot is built and started`, () => {
      const built = launch([
        '--snapshot-blob',
        'snapshot.blob',
        '--build-snapshot',
        'snapshot.cjs',
      ]);
      assert.equal(built.code, 0, built.stderr);
      const started = launch(['--snapshot-blob', 'snapshot.blob']);
      assert.match(started.stdout, /started from a snapshot/);
      assert.equal(started.code, 0, started.stderr);
    });

    it(`${how}: the permission model costs at most tracing, in one line`, () => {
      const flag = hasFlag('--permission') ? '--permission' : '--experimental-permission';
      for (const more of [[], ['--allow-worker'], ['--allow-fs-write=*', '--allow-worker']]) {
        const args = ['--no-warnings', flag, '--allow-fs-read=*', ...more, 'ran.mjs'];
        const { stdout, stderr, code } = launch(args);
        assert.equal(stdout, 'ran\n', stderr);
        assert.equal(code, 0);
        assert.match(stderr, /^(?:clew: .*restricted.*\n)?$/);
      }
    });

    it(`${how}: --watch starts the application`, async () => {
      const child = spawn(process.execPath, [...flags, '--watch', 'ran.mjs'], {
        cwd: folder,
        env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        let text = '';
        for await (const chunk of child.stdout) {
          text += String(chunk);
          if (/^ran$/m.test(text)) break;
        }
        assert.match(text, /^ran$/m);
      } finally {
        child.kill('SIGKILL');
      }
    });
  }
});

/** Whether this Node knows `flag`, as its help shows. */
function hasFlag(flag: string): boolean {
  return new RegExp(`^\\s+${flag}\\b(?!-)`, 'm').test(run(['--help'], { cwd: '.' }).stdout);
}
