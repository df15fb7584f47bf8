import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('../../fixtures/export/app.js', import.meta.url));

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** From the start of the process, or from the signal where one was sent, to its end. */
  millis: number;
}

export interface FixtureOptions {
  env?: Record<string, string>;
  nodeOptions?: string[];
  /** Called when the program prints `ready`. */
  onReady?: (child: ChildProcess) => void;
  /** The executable, where it is not this process's own. */
  node?: string;
  file?: string;
}

/** Runs the fixture program to its end. */
export async function runApp(
  end: string,
  url: string,
  { env = {}, nodeOptions = [], onReady, node = process.execPath, file = APP }: FixtureOptions = {},
): Promise<Ending> {
  let started = performance.now();
  const child = spawn(node, [...nodeOptions, file, end], {
    env: { ...process.env, URL: `${url}/v1/traces`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const isReady = !stdout.includes('ready') && chunk.includes('ready');
    stdout += chunk.toString();
    if (!isReady) return;
    started = performance.now();
    onReady?.(child);
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr, millis: performance.now() - started };
}
