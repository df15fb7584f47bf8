import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { ROOT } from './page.ts';

/*
 * The picture of the layers in docs/architecture.md: which folders of `src` import from which, types
 * included, as a diagram of Mermaid.
 */
const SOURCES = join(ROOT, 'src');
/** Stands for the files of `src` itself. */
const TOP = 'start.ts and its like';

/** Each folder of `src`, and the folders from which its files import. */
export function importsOfFolders(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const file of sources()) {
    const from = folderOf(file);
    const found = imports.get(from) ?? new Set();
    imports.set(from, found);
    const text = readFileSync(join(SOURCES, file), 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:from|import\(|import) ?'(\.[^']+\.c?tsx?)'/g)) {
      const to = folderOf(relative(SOURCES, join(SOURCES, dirname(file), path)));
      if (to !== from) found.add(to);
    }
  }
  return imports;
}

/** The folders in which each imports from the next, and the last from the first; undefined without any. */
export function circleIn(imports: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (folder: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(folder)) return path.slice(path.indexOf(folder));
    if (done.has(folder)) return undefined;
    for (const next of imports.get(folder) ?? []) {
      const circle = visit(next, [...path, folder]);
      if (circle) return circle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of imports.keys()) {
    const circle = visit(folder, []);
    if (circle) return circle;
  }
  return undefined;
}

/** The diagram. An arrow that follows from two others is left out. */
export function layersDiagram(imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const folders = [...imports.keys()].toSorted();
  const idOf = (folder: string): string => (folder === TOP ? 'top' : folder.replaceAll('-', '_'));
  const arrows = folders.flatMap((from) => {
    const direct = [...(imports.get(from) ?? [])];
    const beyond = new Set(direct.flatMap((each) => [...reachableFrom(each, imports)]));
    return direct
      .filter((to) => !beyond.has(to))
      .toSorted()
      .map((to) => `  ${idOf(from)} --> ${idOf(to)}`);
  });
  const rooms = folders.map(
    (folder) => `  ${idOf(folder)}["${folder === TOP ? TOP : `${folder}/`}"]`,
  );
  return ['```mermaid', 'graph TD', ...rooms, ...arrows, '```'].join('\n');
}

function reachableFrom(
  folder: string,
  imports: ReadonlyMap<string, ReadonlySet<string>>,
  found = new Set<string>(),
): Set<string> {
  for (const next of imports.get(folder) ?? []) {
    if (found.has(next)) continue;
    found.add(next);
    reachableFrom(next, imports, found);
  }
  return found;
}

function sources(): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.c?tsx?$/.test(file),
  );
}

function folderOf(file: string): string {
  return file.includes(sep) ? file.slice(0, file.indexOf(sep)) : TOP;
}
