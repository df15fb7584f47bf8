import { createRequire, syncBuiltinESMExports } from 'node:module';

import { context } from '@opentelemetry/api';

import { environment } from '../../base/environment.ts';
import { patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import type { Carrier } from './carrier.ts';
import { variablesFor, type Variables } from './environment.ts';

/*
 * Child processes are given the context that is active where they are started. `spawn`, `fork`,
 * `exec`, `execFile` and `cluster.fork` all come to one method; the synchronous ones do not.
 */

interface SpawnOptions {
  envPairs?: unknown;
}
type Spawning = { spawn(options: SpawnOptions, ...rest: unknown[]): unknown };
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type SyncFunctions = Record<'spawnSync' | 'execFileSync' | 'execSync', AnyFunction>;

/** The module itself, whose members can be replaced; an import of it shows what they are. */
type ChildProcessModule = SyncFunctions & { ChildProcess: { prototype: Spawning } };

/**
 * Gives child processes the context in which they are started. `inherited` is what this process
 * itself was started with.
 */
export function giveToChildProcesses(inherited: Carrier): Undo {
  const module = createRequire(import.meta.url)('node:child_process') as ChildProcessModule;
  const undos = [
    patchMethod(module.ChildProcess.prototype, 'spawn', (original) => {
      return function (options, ...rest) {
        return Reflect.apply(original, this, [withVariables(options, inherited), ...rest]);
      };
    }),
    patchSync(module, 'spawnSync', 2, inherited),
    patchSync(module, 'execFileSync', 2, inherited),
    patchSync(module, 'execSync', 1, inherited),
  ];
  syncBuiltinESMExports();
  return undoAll([() => syncBuiltinESMExports(), ...undos]);
}

/** A copy of the options with other variables: in Node's, the environment is a list of `NAME=value`. */
function withVariables(options: SpawnOptions, inherited: Carrier): SpawnOptions {
  const pairs: unknown = (options as SpawnOptions | undefined)?.envPairs;
  if (!Array.isArray(pairs)) return options;
  const values = new Map<string, string>();
  for (const pair of pairs as string[]) {
    const end = pair.indexOf('=', 1);
    values.set(pair.slice(0, end).toUpperCase(), pair.slice(end + 1));
  }
  const variables = variablesFor(context.active(), (name) => values.get(name), inherited);
  if (variables === undefined) return options;
  const { set, drop } = variables;
  const kept = (pairs as string[]).filter((pair) => {
    const name = pair.slice(0, pair.indexOf('=', 1)).toUpperCase();
    return !set.has(name) && !drop.has(name);
  });
  return {
    ...options,
    envPairs: [...kept, ...[...set].map(([name, value]) => `${name}=${value}`)],
  };
}

/** `optionsAt` is where the options are when all arguments are given. */
function patchSync(
  module: SyncFunctions,
  name: keyof SyncFunctions,
  optionsAt: number,
  inherited: Carrier,
): Undo | undefined {
  return patchMethod(module, name, (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      // The arguments of the program may be left out.
      const at = optionsAt === 2 && !Array.isArray(args[1]) && isOptions(args[1]) ? 1 : optionsAt;
      const options = args[at];
      if (options !== undefined && options !== null && !isOptions(options)) {
        return Reflect.apply(original, this, args);
      }
      const env = (options as { env?: NodeJS.ProcessEnv } | undefined)?.env ?? environment();
      const variables = variablesFor(context.active(), (variable) => env[variable], inherited);
      if (variables === undefined) return Reflect.apply(original, this, args);
      const given = [...args];
      while (given.length < at) given.push(undefined);
      given[at] = { ...(options as object), env: withSet(env, variables) };
      return Reflect.apply(original, this, given);
    };
  });
}

const isOptions = (value: unknown): boolean => typeof value === 'object' && value !== null;

function withSet(env: NodeJS.ProcessEnv, { set, drop }: Variables): NodeJS.ProcessEnv {
  const copy: NodeJS.ProcessEnv = {};
  // As Node does: what `env` inherits counts.
  // oxlint-disable-next-line guard-for-in
  for (const name in env) copy[name] = env[name];
  for (const name of drop) delete copy[name];
  for (const [name, value] of set) copy[name] = value;
  return copy;
}
