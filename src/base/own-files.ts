import { fileURLToPath } from 'node:url';

/*
 * Finds the files of this package. They are compiled one by one into `build/src`, and bundled for
 * publishing into a few files side by side in `build/package`. A bundled application has this code
 * in its own bundle, and none of these folders.
 */
const [, root, layout] =
  /^(.*[\\/])build[\\/](src|package)[\\/]/.exec(fileURLToPath(import.meta.url)) ?? [];

/** The folders that our frames are in: the compiled files, and the sources a source map leads to. */
export const OWN_FOLDERS: readonly string[] =
  root === undefined ? [] : ['build/src/', 'build/package/', 'src/'].map((path) => root + path);

/**
 * The URL of a compiled file, `path` being that below `src` (`cli/run-preload.js`). It is one that
 * `test/support/bundle-package.ts` lists.
 */
export function ownFile(path: string): URL {
  const base = new URL(layout === 'package' ? './' : '../', import.meta.url);
  return new URL(layout === 'package' ? (path.split('/').at(-1) ?? path) : path, base);
}

/** The URL of a folder of the package, `examples/shop/`. */
export function packageFolder(path: string): URL {
  return new URL(layout === 'package' ? `../../${path}` : `../../../${path}`, import.meta.url);
}
