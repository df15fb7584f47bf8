import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { noteSkipped } from './services.ts';
import { cacheFolder, moveIntoCache } from './user-cache.ts';

/*
 * Native modules that come as sources. They are built on first use, with npm's own node-gyp and the
 * headers beside the running Node, in the user's cache folder: a machine without a compiler goes
 * without their tests and not without the package.
 */

interface NativeModule {
  name: string;
  version: string;
  /** Whether one build serves every Node from the one that it was built with on. */
  isNapi?: boolean;
  /** The package that is to be built, where it is another one that this one brings along. */
  addOn?: string;
  /** Packages that are to find it, as `name@version`. */
  beside?: string[];
  /** For benchmarks. It takes minutes, and a build without seconds. */
  isOptimised?: boolean;
}

/** A `require` that finds the module, built for this Node; without one the suite is skipped. */
export function requireNative(suite: Mocha.Context, module: NativeModule): NodeJS.Require {
  suite.timeout(600_000);
  const found = nativeModule(module);
  if (typeof found !== 'string') return found;
  noteSkipped(`${module.name} ${module.version}: ${found}`);
  return suite.skip();
}

/** A `require` that finds the module, or the reason why there is none. */
export function nativeModule({
  name,
  version,
  isNapi,
  addOn = name,
  beside = [],
  isOptimised = false,
}: NativeModule): NodeJS.Require | string {
  const abi = isNapi ? 'napi' : `abi-${process.versions.modules}`;
  const kind = `${process.platform}-${abi}${isOptimised ? '' : '-unoptimised'}`;
  const folder = cacheFolder('native', `${name}-${version}-${kind}`);
  if (!existsSync(folder)) {
    const problem = build(folder, [`${name}@${version}`, ...beside], addOn, isOptimised);
    if (problem !== undefined) return problem;
  }
  return createRequire(join(folder, 'index.js'));
}

/** Makes the folder, whole or not at all: another run may be making it, too. Returns what went wrong. */
function build(
  folder: string,
  packages: string[],
  addOn: string,
  isOptimised: boolean,
): string | undefined {
  mkdirSync(dirname(folder), { recursive: true });
  const growing = mkdtempSync(`${folder}.`);
  try {
    console.log(`building ${packages.join(' and ')} in ${folder}`);
    const npm = ['i', '--prefix', growing, '--no-save', '--ignore-scripts', '--omit=optional'];
    const install = run('npm', [...npm, ...packages], growing);
    if (install !== undefined) return `it cannot be installed: ${install}`;
    const gyp = findNodeGyp();
    if (gyp === undefined) return 'there is no node-gyp beside npm';
    const prefix = dirname(dirname(process.execPath));
    const headers = existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : [];
    const inside = join(growing, 'node_modules', addOn);
    const configured = run(process.execPath, [gyp, 'configure', ...headers], inside);
    if (configured !== undefined) return `it cannot be configured: ${configured}`;
    if (!isOptimised) withoutOptimisation(join(inside, 'build'));
    const built = run(process.execPath, [gyp, 'build', ...headers], inside);
    if (built !== undefined) return `it cannot be built: ${built}`;
    moveIntoCache(growing, folder);
  } finally {
    rmSync(growing, { recursive: true, force: true });
  }
  return undefined;
}

/** Takes the levels of optimisation out of the makefiles of a module. */
function withoutOptimisation(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.mk')) continue;
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/-O[1-3s]\b/g, '-O0'));
  }
}

/** The last line of what went wrong, if anything did. */
function run(command: string, args: string[], cwd: string): string | undefined {
  // npm hands its own `nodedir` on, which goes before the argument and names another Node's headers.
  const { npm_config_nodedir: _, ...env } = process.env;
  const { status, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return undefined;
  const lines = (error?.message ?? stderr).trim().split('\n');
  return lines.findLast((line) => /err|not ok/i.test(line)) ?? lines.at(-1) ?? 'no reason given';
}

function findNodeGyp(): string | undefined {
  const { stdout } = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' });
  const gyp = join(stdout.trim(), 'npm/node_modules/node-gyp/bin/node-gyp.js');
  return existsSync(gyp) ? gyp : undefined;
}
