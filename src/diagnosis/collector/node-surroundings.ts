import { existsSync, readFileSync } from 'node:fs';
import { createRequire, findSourceMap, SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Place } from '../finding.ts';
import { packageOf } from '../stack-frames.ts';
import type { Frame } from '../record.ts';
import type { Surroundings } from '../surroundings.ts';
import { pathsTo } from './export-paths.ts';

const MAX_FILES = 200;
const MAX_BYTES = 5_000_000;
/** The maximum number of a package's files that are searched for a name. */
const MAX_SEARCHED = 100;

/**
 * Provides the surroundings of this process: its files, their source maps, the modules it has
 * loaded.
 */
export class NodeSurroundings implements Surroundings {
  readonly #sources = new Map<string, string | undefined>();
  readonly #mentions = new Map<string, boolean>();
  readonly #maps = new Map<string, SourceMap | undefined>();

  original({ file, line, column, fn }: Frame): Place {
    const place: Place = { file, line, column };
    if (fn) place.function = fn;
    try {
      const entry = this.#mapOf(file)?.findEntry(line - 1, column - 1);
      if (!entry || !('originalSource' in entry)) return place;
      const source = entry.originalSource;
      const path = source.startsWith('file:')
        ? fileURLToPath(source)
        : resolve(dirname(file), source);
      // Few packages publish the sources for their maps.
      if (packageOf(file) !== undefined && !existsSync(path)) return place;
      return {
        ...place,
        file: path,
        line: entry.originalLine + 1,
        column: entry.originalColumn + 1,
      };
    } catch {
      // If the map cannot be read, the file that runs is used.
      return place;
    }
  }

  sourceLine(file: string, line: number): string | undefined {
    return this.source(file)
      ?.split('\n', line)
      .at(line - 1);
  }

  source(file: string): string | undefined {
    if (file.startsWith('node:')) return undefined;
    if (!this.#sources.has(file) && this.#sources.size < MAX_FILES) {
      this.#sources.set(file, read(file));
    }
    return this.#sources.get(file);
  }

  pathsTo(packageName: string, method: string): string[] {
    // Of a package's files, the entry point is the first to start loading and the last to finish.
    return pathsTo(modulesOf(packageName)[0]?.exports, method);
  }

  mentions(packageName: string, name: string): boolean {
    const key = `${packageName} ${name}`;
    let found = this.#mentions.get(key);
    if (found === undefined) {
      const files = modulesOf(packageName).map(({ file }) => file);
      const word = new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`);
      const isIn = (file: string): boolean => word.test(read(file) ?? name);
      found = files.length > MAX_SEARCHED || files.some(isIn);
      this.#mentions.set(key, found);
    }
    return found;
  }

  #mapOf(file: string): SourceMap | undefined {
    if (!this.#maps.has(file) && this.#maps.size < MAX_FILES) {
      this.#maps.set(file, findSourceMap(file) ?? this.#readMap(file));
    }
    return this.#maps.get(file);
  }

  /** Node knows the maps only if it was started with `--enable-source-maps`. */
  #readMap(file: string): SourceMap | undefined {
    const url = this.source(file)?.match(/\/\/[#@] ?sourceMappingURL=(\S+)\s*$/)?.[1];
    if (!url) return undefined;
    const inline = /^data:application\/json[^,]*;base64,(.*)$/.exec(url)?.[1];
    const text = inline
      ? Buffer.from(inline, 'base64').toString()
      : read(resolve(dirname(file), url));
    return text === undefined ? undefined : new SourceMap(JSON.parse(text) as SourceMapPayload);
  }
}

/** Returns the modules of a package that `require()` has loaded. */
function modulesOf(packageName: string): { file: string; exports: unknown }[] {
  const { cache } = createRequire(import.meta.url);
  return Object.entries(cache).flatMap(([file, module]) =>
    module?.loaded && packageOf(file) === packageName ? { file, exports: module.exports } : [],
  );
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > MAX_BYTES ? undefined : text;
  } catch {
    return undefined;
  }
}
