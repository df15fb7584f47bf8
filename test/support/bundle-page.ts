import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

/*
 * Puts the viewer's page together: sources in `src/view-page` become three files, which the viewer's
 * server answers with and which a self-contained HTML file takes up.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FROM = join(ROOT, 'src/view-page');

/** Writes `index.html`, `page.js` and `page.css` into `folder`; resolves to the packages inside. */
export async function bundlePage(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [
      { in: join(FROM, 'main.tsx'), out: 'page' },
      { in: join(FROM, 'page.css'), out: 'page' },
    ],
    outdir: folder,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome115', 'firefox115', 'safari17'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(FROM, 'tsconfig.json'),
    // Inside an HTML file, `</script>` in a text would end it.
    supported: { 'inline-script': false },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  copyFileSync(join(FROM, 'index.html'), join(folder, 'index.html'));
  return Object.keys(metafile.inputs);
}

/** What the three files weigh together, in bytes. */
export function weightOfPage(folder: string): number {
  return ['index.html', 'page.js', 'page.css']
    .map((file) => statSync(join(folder, file)).size)
    .reduce((sum, size) => sum + size, 0);
}
