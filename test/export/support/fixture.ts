import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readBooks, type Book } from './books.ts';

const APP = fileURLToPath(new URL('../../fixtures/export/app.js', import.meta.url));

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** From the start of the process, or from the signal where one was sent, to its end. */
  millis: number;
  /** The sums of each delivery in it, as long as it lived. */
  books: Book[];
}

export interface FixtureOptions {
  env?: Record<string, string>;
  nodeOptions?: string[];
  /** Called when the program prints `ready`. */
  onReady?: (child: ChildProcess) => void;
  /** The executable, where it is not this process's own. */
  node?: string;
  file?: string;
  /** Whether the program keeps books; default: true. Looking at the sums takes a little time. */
  keepBooks?: boolean;
}

/** Runs the fixture program to its end. */
export async function runApp(
  end: string,
  url: string,
  {
    env = {},
    nodeOptions = [],
    onReady,
    node = process.execPath,
    file = APP,
    keepBooks = true,
  }: FixtureOptions = {},
): Promise<Ending> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-books-'));
  const books = join(folder, 'books');
  writeFileSync(books, '');
  let started = performance.now();
  const child = spawn(node, [...nodeOptions, file, end], {
    env: { ...process.env, URL: `${url}/v1/traces`, ...(keepBooks && { BOOKS: books }), ...env },
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
  const millis = performance.now() - started;
  try {
    return { code, signal, stdout, stderr, millis, books: readBooks(books) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
