import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';

import { readManifest, UNREADABLE } from './base/manifest.ts';

/** Name and version of the application, as in its package.json. */
export interface ApplicationManifest {
  readonly name: string;
  readonly version: string | undefined;
}

/** How the process was started, as far as this identifies the application. */
export interface Launch {
  /** `process.argv`. */
  readonly argv: readonly string[];
  /** `process.execArgv`. */
  readonly execArgv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const EVALUATES = /^(?:-[a-z]*[ep]|--eval|--print)(?:=|$)/;
/** Options of launchers whose value is a file that is not the application. */
const TAKES_FILE =
  /^(?:-[crP]|--(?:config|require|import|(?:experimental-)?loader|project|tsconfig|setup|global-setup|env-file|reporter|ignore|watch-path|cwd|dir|root))$/;
/** A file that a launcher may run; its settings are often files, too. */
const PROGRAM = /\.[cm]?[jt]sx?$/;
const NODE_MODULES = `${sep}node_modules${sep}`;

/**
 * Returns the application's package.json: the nearest one with a name above its main file.
 *
 * A main file below `node_modules` is a launcher (pm2, mocha, ts-node, next), whose own manifest is
 * never the application's. In that case the file that the launcher runs decides, or else the
 * project that the launcher is installed in. Undefined if neither is known: no name is better than
 * a wrong one.
 */
export function applicationManifest(launch: Launch): ApplicationManifest | undefined {
  const [, main, ...args] = launch.argv;
  // Behind `-e` the first argument is one of the code, and no file.
  if (main === undefined || launch.execArgv.some((flag) => EVALUATES.test(flag))) return undefined;
  const file = realFile(main, launch.cwd);
  if (!existsSync(file)) return undefined;
  // `node .` names a folder.
  if (!isInstalled(file)) return manifestAbove(isFile(file) ? dirname(file) : file);
  const run = launched(args, launch);
  if (run !== undefined) return manifestAbove(dirname(run));
  // As it was typed: a symlinked launcher (`pnpm`, `npm link`) belongs to where the link is.
  const project = projectOf(resolve(launch.cwd, main)) ?? projectOf(file);
  if (project === undefined || !existsSync(join(project, 'package.json'))) return undefined;
  // In a workspace the launcher is installed at the top and run in a package.
  return manifestAbove(isInside(launch.cwd, project) ? launch.cwd : project);
}

/** The application's file that the launcher was started with. */
function launched(args: readonly string[], { cwd, env }: Launch): string | undefined {
  // pm2 names the file in the environment alone.
  const named = args.filter((_, index) => !TAKES_FILE.test(args[index - 1] ?? ''));
  for (const candidate of [env['pm_exec_path'], ...named]) {
    if (!candidate || candidate.startsWith('-')) continue;
    const file = realFile(candidate, cwd);
    if (PROGRAM.test(file) && isFile(file) && !isInstalled(file)) return file;
  }
  return undefined;
}

/** The file that is meant, without links. Node adds the extension of a main file by itself. */
function realFile(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  for (const candidate of [path, `${path}.js`, `${path}.mjs`, `${path}.cjs`]) {
    try {
      return realpathSync(candidate);
    } catch {
      // Not there, or not to be read.
    }
  }
  return path;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isInstalled(path: string): boolean {
  return path.includes(NODE_MODULES);
}

/** The folder whose `node_modules` a file is in. */
function projectOf(path: string): string | undefined {
  const end = path.indexOf(NODE_MODULES);
  return end === -1 ? undefined : path.slice(0, end);
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * The nearest manifest with a name, from `folder` upwards. One that cannot be read may have the name
 * that is looked for: those above it are not asked.
 */
function manifestAbove(folder: string): ApplicationManifest | undefined {
  for (let current = folder; ; current = dirname(current)) {
    const manifest = readManifest(current);
    if (manifest === UNREADABLE) return undefined;
    if (manifest?.name !== undefined) return { name: manifest.name, version: manifest.version };
    if (current === dirname(current)) return undefined;
  }
}
