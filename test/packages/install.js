import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Installs what only tests, benchmarks and the linter need: the packages of the lock file beside this
 * file. They stay until the lock file changes. Every script of the repository that needs them runs this
 * first. It is JavaScript, since the compiler needs the types of these packages.
 */
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = join(FOLDER, 'node_modules');
/** Has the hash of the lock file that is installed. npm removes it with all else before it installs. */
const STAMP = join(MODULES, '.installed');

/** Folders whose files find the packages as if they stood beside them. */
const USERS = ['build', 'test', 'benchmark', 'examples'];

const lock = readFileSync(join(FOLDER, 'package-lock.json'), 'utf8');
const wanted = createHash('sha256')
  .update(`${process.platform} ${process.arch} ${lock}`)
  .digest('hex');

if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== wanted) await install();
for (const folder of USERS) link(join(ROOT, folder, 'node_modules'));

async function install() {
  const paths = Object.entries(JSON.parse(lock).packages)
    .filter(([path, { optional }]) => path.startsWith('node_modules/') && !optional)
    .map(([path]) => path);
  const began = performance.now();
  const report = () => {
    const done = paths.filter((path) => existsSync(join(FOLDER, path, 'package.json'))).length;
    const seconds = Math.round((performance.now() - began) / 1000);
    console.error(`test/packages: ${done} of ${paths.length} packages after ${seconds} s`);
  };
  console.error('Installing what tests and benchmarks need into test/packages: 500 MB, once.');
  const timer = setInterval(report, 10_000);
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  const problem = await new Promise((resolve) => {
    npm.once('error', (error) => resolve(error.message));
    npm.once('close', (code) => resolve(code === 0 ? undefined : `it ended with code ${code}`));
  });
  clearInterval(timer);
  if (problem !== undefined) {
    console.error(`npm ci in test/packages failed: ${problem}. Its messages are above.`);
    process.exit(1);
  }
  report();
  writeFileSync(STAMP, wanted);
}

/** @param {string} path */
function link(path) {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    if (existsSync(path)) return;
    rmSync(path);
  }
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(relative(dirname(path), MODULES), path, 'junction');
}
