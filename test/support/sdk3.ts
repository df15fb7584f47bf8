import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { nodeOfLine } from './other-nodes.ts';

const PACKAGES = ['@opentelemetry/sdk-trace@3.1.1', '@opentelemetry/api@1.10.0'];

/**
 * The folder with OpenTelemetry JS 3.x, which cannot be installed beside 2.x: on first use it goes
 * into the user's cache folder. Undefined where it cannot be had.
 */
export function sdk3Folder(): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'clew', 'opentelemetry-3.1.1');
  if (existsSync(join(folder, 'node_modules', '@opentelemetry', 'sdk-trace'))) return folder;
  mkdirSync(folder, { recursive: true });
  console.log(`installing ${PACKAGES.join(' and ')} into ${folder}`);
  const args = ['i', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', ...PACKAGES];
  const { status } = spawnSync('npm', args, { stdio: 'inherit', cwd: folder });
  return status === 0 ? folder : undefined;
}

/** A Node that runs OpenTelemetry JS 3.x, which asks for 22.15. */
export function nodeForSdk3(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isRecent = major > 22 || (major === 22 && minor >= 15);
  return isRecent ? process.execPath : nodeOfLine('24');
}
