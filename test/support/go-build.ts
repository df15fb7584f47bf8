import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { findBinary } from './find-binary.ts';
import { cacheFolder } from './user-cache.ts';

/*
 * Servers that no package manager brings, built once into the user's cache folder where there is a
 * Go toolchain.
 */

export interface GoProgram {
  /** As people write it. */
  name: string;
  version: string;
  /** The folder to build in, which this may fetch by `go`. */
  sources(go: string): string;
  /** The main package, as seen from there. */
  main: string;
}

/** The longest a build may take, in milliseconds. */
export const BUILD_LIMIT = 600_000;

const OPTIONS = {
  encoding: 'utf8',
  env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
  timeout: BUILD_LIMIT,
} as const;

/** The binary of a program that was built before. */
export function builtBinary(program: GoProgram): string | undefined {
  const binary = binaryOf(program);
  return existsSync(binary) ? binary : undefined;
}

/** The program's binary, built if need be, or the reason why there is none. */
export function goBinary(program: GoProgram): { binary: string } | string {
  const binary = binaryOf(program);
  if (existsSync(binary)) return { binary };
  const go = findBinary(['go'], ['/usr/local/go/bin']);
  if (go === undefined) return `no Go toolchain to build ${program.name} with`;
  mkdirSync(dirname(binary), { recursive: true });
  console.log(`building ${program.name} ${program.version} into ${binary}`);
  const growing = `${binary}.${process.pid}`;
  try {
    const cwd = program.sources(go);
    runGo(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', growing, program.main], cwd);
    // It appears whole, also for another run that builds it at the same time.
    renameSync(growing, binary);
    return { binary };
  } catch (error) {
    rmSync(growing, { force: true });
    return `${program.name} cannot be built: ${(error as Error).message}`;
  }
}

/** What `go` prints. Throws its last line where it fails. */
export function runGo(go: string, args: string[], cwd: string): string {
  const { status, error, stdout, stderr } = spawnSync(go, args, { ...OPTIONS, cwd });
  if (status === 0) return stdout;
  throw new Error(error?.message ?? (stderr || stdout).trim().split('\n').at(-1));
}

function binaryOf({ name, version }: GoProgram): string {
  return cacheFolder(name.toLowerCase(), `${version}-${process.platform}-${process.arch}`);
}
