import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ClewError } from '../base/errors.ts';
import { ownFile } from '../base/own-files.ts';

/** Options of Node that take their value as the next argument. */
const NODE_OPTIONS_WITH_VALUE = [
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
  '--title',
];

/**
 * Splits a command's arguments where Node's begin: at `--`, at the first option that is not the
 * command's own, or at the application's file.
 */
export function splitNodeProgram(
  args: string[],
  options: Readonly<Record<string, { type: 'string' | 'boolean'; short?: string }>>,
): { own: string[]; program: string[] } {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--') return { own: args.slice(0, i), program: args.slice(i + 1) };
    const name = arg.replace(/^--?/, '').replace(/=.*$/, '');
    const own = Object.entries(options).find(([key, { short }]) => key === name || short === name);
    if (arg.startsWith('-') && own) {
      if (own[1].type === 'string' && !arg.includes('=')) i++;
      continue;
    }
    const program = args.slice(i);
    const isNodes = (at: number): boolean => (program[at] ?? '').startsWith('-');
    let file = 0;
    while (isNodes(file)) file += NODE_OPTIONS_WITH_VALUE.includes(program[file] ?? '') ? 2 : 1;
    // An option without an application behind it was meant for the command.
    if (file >= program.length) return { own: args, program: [] };
    return { own: args.slice(0, i), program };
  }
  return { own: args, program: [] };
}

/** How an application ended. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  env?: Record<string, string>;
  /** Where its standard output goes. */
  stdout?: 'inherit' | 'stderr';
  /** Is called when it has ended, before we do by the same signal. */
  onEnd?(this: void, end: ProgramEnd): void;
}

/**
 * Runs a Node application with clew loaded, on our own standard streams, and resolves to its exit
 * code. Signals go on to it, and it ends us with the signal that ended it.
 */
export async function runProgram(
  program: string[],
  { env = {}, stdout = 'inherit', onEnd }: ProgramOptions = {},
): Promise<number> {
  if (program.length === 0) {
    throw new ClewError('ERR_OPTION', 'Which application? Name its file: clew run app.js');
  }
  // `clew run node app.js` is what people type who come from other tools.
  const args = program[0] === 'node' ? program.slice(1) : program;
  const preloads = [ownFile('register.js'), ownFile('cli/run-preload.js')].flatMap(({ href }) => [
    '--import',
    href,
  ]);
  const child = spawn(process.execPath, [...preloads, ...args], {
    stdio: ['inherit', stdout === 'stderr' ? 2 : stdout, 'inherit'],
    env: { ...process.env, ...env },
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends SIGINT to the whole group: the application has it already.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    onEnd?.({ code, signal });
    if (signal === null) return code ?? 1;
    for (const name of signals) process.off(name, forward);
    process.kill(process.pid, signal);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}
