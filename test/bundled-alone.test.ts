import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, type BuildOptions } from 'esbuild';

import { runNode } from './support/run-node.ts';

const INDEX = fileURLToPath(new URL('../src/index.js', import.meta.url));

/** What a bundler has to be told, by the format of the file. */
const FORMATS: Record<string, BuildOptions> = {
  cjs: {
    define: { 'import.meta': 'importMeta' },
    banner: {
      js: "const importMeta = { url: require('node:url').pathToFileURL(__filename).href };",
    },
  },
  mjs: {
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  },
};

describe('an application in one file, with clew and without packages beside it', () => {
  for (const [extension, options] of Object.entries(FORMATS)) {
    it(`runs on after clew has looked around: ${extension}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'clew-bundled-'));
      try {
        const file = join(folder, `app.${extension}`);
        const { outputFiles } = await build({
          stdin: {
            contents: `import { start } from ${JSON.stringify(INDEX)};
              import pg from 'pg';
              start();
              // The look comes half a second after the start.
              setTimeout(() => console.log('still here', typeof pg.Pool), 2000);`,
            resolveDir: fileURLToPath(new URL('../../', import.meta.url)),
          },
          bundle: true,
          platform: 'node',
          format: extension === 'cjs' ? 'cjs' : 'esm',
          external: ['pg-native'],
          write: false,
          logLevel: 'silent',
          ...options,
        });
        writeFileSync(file, outputFiles?.[0]?.text ?? '');
        const env = { OTEL_TRACES_EXPORTER: 'none' };
        const { code, stdout, stderr } = await runNode([file], { cwd: folder, env });
        assert.deepEqual([code, stdout], [0, 'still here function\n'], stderr);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
