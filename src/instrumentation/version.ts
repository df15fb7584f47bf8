import { readFileSync } from 'node:fs';

const manifest = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** The version of this package, which is the version of its instrumentation scopes. */
export const VERSION: string = manifest.version;
