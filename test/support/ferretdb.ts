import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findBinary } from './find-binary.ts';
import { cacheFolder } from './user-cache.ts';

/*
 * FerretDB, a server of MongoDB's protocol over SQLite, for machines with a Go toolchain. Nobody
 * packages its 1.x, which needs no other server, so it is built once from `ferretdb/`, whose go.mod
 * and go.sum pin it, into the user's cache folder.
 */
const SOURCES = fileURLToPath(new URL('../../../test/support/ferretdb/', import.meta.url));
const VERSION = '1.24.2';
const BINARY = cacheFolder('ferretdb', `${VERSION}-${process.platform}-${process.arch}`);

/** The longest a build may take. */
export const BUILD_LIMIT = 600_000;

export function isFerretdbBuilt(): boolean {
  return existsSync(BINARY);
}

/** The server's binary, built if need be, or the reason why there is none. */
export function ferretdb(): { binary: string } | string {
  if (isFerretdbBuilt()) return { binary: BINARY };
  const go = findBinary(['go'], ['/usr/local/go/bin']);
  if (go === undefined) return 'no MONGODB_URL, and no Go toolchain to build FerretDB with';
  mkdirSync(dirname(BINARY), { recursive: true });
  console.log(`building FerretDB ${VERSION} into ${BINARY}`);
  const growing = `${BINARY}.${process.pid}`;
  const { status, error, stderr } = spawnSync(go, ['build', '-trimpath', '-o', growing, '.'], {
    cwd: SOURCES,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
    timeout: BUILD_LIMIT,
  });
  if (status !== 0) {
    rmSync(growing, { force: true });
    const reason = error?.message ?? stderr.trim().split('\n').at(-1);
    return `no MONGODB_URL, and FerretDB cannot be built: ${reason ?? 'no reason given'}`;
  }
  // It appears whole, also for another run that builds it at the same time.
  renameSync(growing, BINARY);
  return { binary: BINARY };
}
