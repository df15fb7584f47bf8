import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** What `clew/register` is to an application: a file URL serves `--import`, a path `--require`. */
export const REGISTER_URL: string = new URL('../../package/register.js', import.meta.url).href;
export const REGISTER_PATH: string = fileURLToPath(
  new URL('../../package/register.cjs', import.meta.url),
);

/** The path of a hand-written program in test/fixtures/, seen from build/test/support/. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));
}

export interface RunOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** The executable; default: the Node that runs the tests. */
  node?: string;
  /** In a group of processes of its own, as a shell starts a command. */
  detached?: boolean;
}

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

const running = new Set<RunningNode>();

/** Ends processes that a failed test left behind; a root hook. */
export async function endLeftovers(): Promise<void> {
  for (const left of running) {
    left.child.kill('SIGKILL');
    // Processes of its own may hold the pipes open.
    left.child.stdout.destroy();
    left.child.stderr.destroy();
    await left.result();
  }
}

/** A Node process whose output is gathered. */
export class RunningNode {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<[number | null, NodeJS.Signals | null]>;

  constructor(args: string[], options: RunOptions = {}) {
    const env: NodeJS.ProcessEnv = {};
    // The environment of the test run must not decide what is tested.
    for (const [key, value] of Object.entries({ ...process.env, ...options.env })) {
      const given = options.env !== undefined && key in options.env;
      if (given || !/^(OTEL_|CLEW_|NODE_OPTIONS|NODE_V8_COVERAGE|FORCE_COLOR$|NO_COLOR$)/.test(key))
        env[key] = value;
    }
    if (process.env['NODE_V8_COVERAGE']) env['NODE_V8_COVERAGE'] = process.env['NODE_V8_COVERAGE'];
    this.child = spawn(options.node ?? process.execPath, args, {
      env,
      cwd: options.cwd,
      detached: options.detached ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#ended = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    running.add(this);
    this.child.once('close', () => running.delete(this));
  }

  /** Resolves with the match once the pattern is in stdout; rejects if the process ends before. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      const ended = await Promise.race([
        once(this.child.stdout, 'data').then(() => false),
        this.#ended.then(() => true),
      ]);
      if (ended && !pattern.test(this.stdout)) {
        throw new Error(`ended without ${String(pattern)}:\n${this.stdout}${this.stderr}`);
      }
    }
  }

  async result(): Promise<Result> {
    const [code, signal] = await this.#ended;
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Runs a Node process to its end. */
export function runNode(args: string[], options?: RunOptions): Promise<Result> {
  return new RunningNode(args, options).result();
}
