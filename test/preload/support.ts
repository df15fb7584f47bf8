import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { REGISTER_PATH, REGISTER_URL } from '../support/run-node.ts';

/** The two ways to preload, as flags. */
export const PRELOADS: Readonly<Record<string, readonly [string, string]>> = {
  '--import': ['--import', REGISTER_URL],
  '--require': ['--require', REGISTER_PATH],
};

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunSettings {
  cwd: string;
  input?: string;
  env?: Record<string, string>;
  timeoutMillis?: number;
}

/** Runs this Node to its end, with standard input and no variables of the test run's own. */
export function run(args: readonly string[], settings: RunSettings): Ran {
  const env: NodeJS.ProcessEnv = { OTEL_TRACES_EXPORTER: 'none' };
  for (const [key, value] of Object.entries(process.env)) {
    if (!/^(OTEL_|CLEW_|NODE_OPTIONS|NODE_V8_COVERAGE|NODE_TEST|FORCE_COLOR)/.test(key)) {
      env[key] = value;
    }
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: settings.cwd,
    input: settings.input ?? '',
    env: { ...env, ...settings.env },
    timeout: settings.timeoutMillis ?? 60_000,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** A folder with `files` in it, and what removes it. */
export function folderWith(files: Record<string, string>): {
  folder: string;
  remove: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
