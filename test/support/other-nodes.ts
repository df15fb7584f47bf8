import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The Nodes every test has to pass on. */
export const NODE_LINES = ['20', '22', '24', '26'] as const;

/**
 * The executable of a Node line: the running one where it is of that line, else npm's package for
 * it, installed on first use into the user's cache folder and never into the project.
 */
export function nodeOfLine(line: string): string {
  if (process.versions.node.startsWith(`${line}.`)) return process.execPath;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'clew', 'nodes', `node-${line}`);
  const platform = `node-${process.platform}-${process.arch}`;
  const executable = join(folder, 'node_modules', platform, 'bin', 'node');
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    console.log(`installing ${platform}@${line} into ${folder}`);
    const result = spawnSync('npm', ['i', '--prefix', folder, '--no-save', `${platform}@${line}`], {
      stdio: 'inherit',
      cwd: folder,
    });
    if (result.status !== 0) throw new Error(`Cannot install ${platform}@${line}`);
  }
  return executable;
}
