import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Attributes } from '@opentelemetry/api';

import { PROGRAMS } from '../../support/modules.ts';

const PRELOAD = new URL('../../fixtures/instrumentation/preload.js', import.meta.url);

/** A span as a preloaded application printed it. */
export interface PrintedSpan {
  name: string;
  attributes: Attributes;
}

/**
 * Runs `source` as an application of its own under the preload, as an ES module or as CommonJS,
 * and returns the spans it recorded. Packages are looked for from `cwd`.
 */
export async function runApplication(
  source: string,
  kind: 'module' | 'commonjs',
  env: Record<string, string>,
  cwd: string = PROGRAMS,
): Promise<PrintedSpan[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', PRELOAD.href, `--input-type=${kind}`, '--eval', source],
    { cwd, env: { ...process.env, ...env }, timeout: 20_000 },
  );
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as PrintedSpan);
}
