import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { fixture } from '../../../support/run-node.ts';

/*
 * The application of test/fixtures/frameworks/next-app. To build it takes half a minute, so it stays
 * beside the packages in the user's cache, for as long as its sources are the same.
 */

const sources = fixture('frameworks/next-app');

/** Of the sources, for the name of the folder. */
export const hashOfNextApp: string = hashOf(sources);

/** Builds it in `folder`, which has the packages, where that is not done. */
export function buildNextApp(folder: string): Record<string, string> {
  const env = { NEXT_APP: folder, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
  if (existsSync(join(folder, '.next', 'BUILD_ID'))) return env;
  process.stdout.write(`building an application of Next.js in ${folder}\n`);
  cpSync(sources, folder, { recursive: true });
  const bin = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'build'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`Cannot build the application: ${stdout}${stderr}`);
  return env;
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(name).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 8);
}
