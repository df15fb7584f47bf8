import { spawn } from 'node:child_process';
import { once } from 'node:events';

import type { Mode } from './modes.ts';

/** A test program of others: one file of a suite and the way its project runs it. */
export interface Program {
  /** Stands in the report and in the list of known differences. */
  name: string;
  node: string;
  args: readonly string[];
  cwd: string;
  env?: Readonly<Record<string, string>>;
  timeoutMillis: number;
  /** Never runs beside another. */
  alone: boolean;
}

export interface Outcome {
  passed: boolean;
  /** Passed, as it found nothing to test here: the line by which Node's tests report it. */
  skipped: boolean;
  /** The exit code, the signal or `timeout`. */
  end: string;
  /** The last 20,000 characters of both outputs. */
  output: string;
}

/** Runs a program to its end. What it leaves running is ended with it. */
export async function runProgram(program: Program, mode: Mode, endpoint: string): Promise<Outcome> {
  const env: NodeJS.ProcessEnv = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (!/^(OTEL_|CLEW_|NODE_|npm_)/.test(key)) env[key] = value;
  }
  // Tests compare the headers that they get.
  const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_PROPAGATORS: 'none' };
  Object.assign(env, program.env, otel);
  if (mode.nodeOptions.length > 0) env['NODE_OPTIONS'] = mode.nodeOptions.join(' ');
  const child = spawn(program.node, program.args, {
    cwd: program.cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const gather = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  let skipped = false;
  child.stdout.once('data', (chunk: Buffer) => {
    skipped = chunk.toString().startsWith('1..0 # Skipped');
  });
  child.stdout.on('data', gather);
  child.stderr.on('data', gather);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, program.timeoutMillis);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  // Processes it started may hold its output open.
  endGroup(child.pid);
  child.stdout.destroy();
  child.stderr.destroy();
  const end = late ? 'timeout' : (signal ?? `code ${code}`);
  return { passed: code === 0 && !late, skipped, end, output };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
