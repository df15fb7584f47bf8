import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of ours in the user's cache, which outlives a run and is shared by all checkouts. */
export function cacheFolder(...names: string[]): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'clew', ...names);
}

/**
 * The cached folder `name` with `packages` from npm in it, installed on first use and never
 * changed again: other checkouts use it too. It appears whole or, where npm fails, not at all.
 */
export function cachedInstall(name: string, packages: readonly string[]): string {
  const folder = cacheFolder(name);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const growing = mkdtempSync(`${folder}.`);
  console.log(`installing ${packages.join(' and ')} into ${folder}`);
  writeFileSync(join(growing, 'package.json'), '{ "private": true }\n');
  const args = ['i', '--prefix', growing, '--no-save', '--no-audit', '--no-fund', ...packages];
  const { status, stderr } = spawnSync('npm', args, { cwd: growing, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(growing, { recursive: true, force: true });
    throw new Error(`Cannot install ${packages.join(' and ')}: ${stderr}`);
  }
  moveIntoCache(growing, folder);
  return folder;
}

/** Renames a folder that is made, unless another run was faster. */
export function moveIntoCache(growing: string, folder: string): void {
  try {
    renameSync(growing, folder);
  } catch (error) {
    rmSync(growing, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
