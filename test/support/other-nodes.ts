import { join } from 'node:path';

import { cachedInstall } from './user-cache.ts';

/** The Nodes every test has to pass on. */
export const NODE_LINES = ['20', '22', '24', '26'] as const;

/**
 * The executable of a Node line: the running one where it is of that line, else npm's package for
 * it, installed on first use into the user's cache folder and never into the project.
 */
export function nodeOfLine(line: string): string {
  if (process.versions.node.startsWith(`${line}.`)) return process.execPath;
  const platform = `node-${process.platform}-${process.arch}`;
  const folder = cachedInstall(join('nodes', `node-${line}`), [`${platform}@${line}`]);
  return join(folder, 'node_modules', platform, 'bin', 'node');
}
