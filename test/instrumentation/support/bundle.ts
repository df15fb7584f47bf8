import { symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { build, type Format, type Plugin } from 'esbuild';

import { MODULES, PROGRAMS } from '../../support/modules.ts';

const OURS = join(PROGRAMS, 'src/index.js');

/** What pg and mongodb load where it is installed. */
const OPTIONAL = [
  'pg-native',
  'kerberos',
  '@mongodb-js/zstd',
  'gcp-metadata',
  'snappy',
  'socks',
  'aws4',
  '@aws-sdk/*',
  'mongodb-client-encryption',
];

/** What a module of the one form needs in a file of the other. */
const BANNERS: Partial<Record<Format, string>> = {
  esm: `import { createRequire as requireFor } from 'node:module';
const require = requireFor(import.meta.url);`,
  cjs: `const importMeta = { url: require('node:url').pathToFileURL(__filename).href };`,
};

export interface BundleOptions {
  source: string;
  format: Format;
  /** Whether names are shortened, those of classes among them. */
  minify: boolean;
  /** Whether functions and classes keep what they are called nevertheless. */
  keepNames?: boolean;
  /** Whether this package and the SDK are in the file too; they stay outside otherwise. */
  isWhole?: boolean;
  /** Where the file is put. */
  folder: string;
  /** A native part, which stays where it is. */
  native?: string | undefined;
  /** Files that a module looks for beside its own. */
  beside?: string[];
  /** Packages that the application does without. */
  without?: string[];
}

/** Bundles an application with the client it uses. */
export async function bundle(options: BundleOptions): Promise<string> {
  const { source, format, minify, keepNames = false, isWhole = false, folder } = options;
  const { native, beside = [], without = [] } = options;
  const outfile = join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs');
  for (const file of beside) symlinkSync(file, join(folder, basename(file)));
  await build({
    stdin: { contents: source, resolveDir: PROGRAMS },
    outfile,
    bundle: true,
    format,
    minify,
    keepNames,
    platform: 'node',
    logLevel: 'silent',
    define: format === 'cjs' ? { 'import.meta': 'importMeta' } : {},
    alias: { clew: OURS },
    plugins: [...(isWhole ? [] : [outside]), ...(native === undefined ? [] : [nativePart(native)])],
    external: [...OPTIONAL, ...without],
    banner: { js: BANNERS[format] ?? '' },
  });
  return outfile;
}

/** One copy of the API, which is the application's. */
const outside: Plugin = {
  name: 'outside',
  setup: (own) => {
    own.onResolve({ filter: /^@opentelemetry\//, namespace: 'file' }, ({ path }) => ({
      path: join(MODULES, path, 'build/src/index.js'),
      external: true,
    }));
    own.onResolve({ filter: /^clew$/ }, () => ({ path: OURS, external: true }));
  },
};

/** The package `bindings` looks for a native part near its caller's file, which is the bundle. */
function nativePart(file: string): Plugin {
  return {
    name: 'native part',
    setup: (own) => {
      own.onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: 'native' }));
      own.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
      own.onLoad({ filter: /.*/, namespace: 'native' }, () => ({
        contents: `module.exports = () => require(${JSON.stringify(file)});`,
      }));
    },
  };
}
