import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface FixtureOptions {
  args?: readonly string[];
  env?: Record<string, string>;
  execArgv?: readonly string[];
  timeout?: number;
}

/**
 * Runs a compiled fixture with this Node and returns what it wrote. `url` is that of the fixture
 * (`new URL('./fixtures/crash.js', import.meta.url)`). It has to end with code 0.
 */
export async function runFixture(
  url: URL,
  options: FixtureOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(
    process.execPath,
    ['--expose-gc', ...(options.execArgv ?? []), fileURLToPath(url), ...(options.args ?? [])],
    { env: { ...process.env, ...options.env }, timeout: options.timeout ?? 20_000 },
  );
}
