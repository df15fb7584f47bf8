import { fileURLToPath } from 'node:url';

/*
 * Where the files of this package are. They are compiled one by one into `build/src`, and for
 * publishing bundled into few files that stand side by side in `build/package`. An application that
 * is bundled itself has this code in a file of its own, and none of these folders.
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
