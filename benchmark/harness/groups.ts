import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { BenchmarkGroup } from './group.ts';

const GROUPS = fileURLToPath(new URL('../groups/', import.meta.url));

/** All groups: what matters most for an application comes first. */
const FIRST = [
  'app',
  'app-parts',
  'start',
  'context',
  'clients',
  'messaging',
  'export',
  'levels',
  'growth',
];
export const GROUP_NAMES: readonly string[] = readdirSync(GROUPS)
  .filter((file) => file.endsWith('.js'))
  .map((file) => basename(file, '.js'))
  .toSorted((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  const index = FIRST.indexOf(name);
  return index < 0 ? FIRST.length : index;
}

export function fileOfGroup(name: string): string {
  return join(GROUPS, `${name}.js`);
}

export async function loadGroup(name: string): Promise<BenchmarkGroup> {
  return ((await import(fileOfGroup(name))) as { group: BenchmarkGroup }).group;
}
