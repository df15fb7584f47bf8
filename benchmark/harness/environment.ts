import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';

import { PEER_VERSIONS } from '../../test/support/peers.ts';
import type { Machine } from './results.ts';

/** What a number depends on and the number itself does not say. */
export function environment(): Machine {
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    load: loadavg()[0] ?? Number.NaN,
    commit: git(['rev-parse', '--short', 'HEAD']),
    dirty: git(['status', '--porcelain']) !== '',
    packages: {
      ...versions([
        '@opentelemetry/api',
        '@opentelemetry/context-async-hooks',
        '@opentelemetry/sdk-trace-base',
      ]),
      ...PEER_VERSIONS,
    },
  };
}

/** A line of warning where the machine is busy with something else. */
export function loadWarning(): string | undefined {
  const load = loadavg()[0] ?? 0;
  if (load <= availableParallelism() / 2) return undefined;
  return `the load is ${load.toFixed(1)} on ${availableParallelism()} cores: trust the ratios, and only the clear ones`;
}

function git(args: string[]): string {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

function versions(names: string[]): Record<string, string> {
  const { resolve } = createRequire(import.meta.url);
  return Object.fromEntries(
    names.map((name) => {
      // Not every package exports its manifest: it is the nearest one above the entry point.
      let folder = resolve(name);
      for (;;) {
        folder = folder.slice(0, folder.lastIndexOf('/'));
        try {
          const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
            name?: string;
            version?: string;
          };
          if (manifest.name === name) return [name, manifest.version ?? 'unknown'];
        } catch {
          if (folder === '') return [name, 'unknown'];
        }
      }
    }),
  );
}
