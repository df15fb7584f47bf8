import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { ownFile } from '../../base/own-files.ts';
import type { CleanUp } from './clean-up.ts';
import type { Database } from './database.ts';
import { shopFolder } from './shop-folder.ts';

const REGISTER = ownFile('register.js').href;

/** The share of requests whose async resources are spans. */
export const resourceSpans: string = process.env['CLEW_RESOURCE_SPANS'] ?? '1';

/** The running shop. */
export interface Shop {
  url: string;
  /** Resolves when its process ends, however that comes. */
  exited: Promise<unknown>;
}

export interface ShopOptions {
  database: Database;
  /** Base URL its spans go to. */
  otlpUrl: string;
  port: number;
  cleanUp: CleanUp;
}

/** The environment of a process under the preload that uses `database` and sends spans to `otlpUrl`. */
export function tracedEnvironment(database: Database, otlpUrl: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...database.env,
    DATABASE_URL: database.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    // The page shows of each request where its time went.
    CLEW_TRACER: process.env['CLEW_TRACER'] ?? 'watch',
    CLEW_JAEGER_HINTS: process.env['CLEW_JAEGER_HINTS'] ?? 'on',
    // A person waits for the output: five seconds would be long.
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
}

/** Starts the shop under the preload. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const { database, otlpUrl, port: wantedPort, cleanUp } = options;
  const child = spawn(
    process.execPath,
    ['--import', REGISTER, fileURLToPath(new URL('server.js', shopFolder))],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...tracedEnvironment(database, otlpUrl),
        // And what it waited for.
        CLEW_RESOURCE_SPANS: resourceSpans,
        PORT: String(wantedPort),
      },
    },
  );
  cleanUp.child(child);
  const exited = once(child, 'exit');
  const port = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /port (\d+)/.exec(line);
      if (match) resolve(Number(match[1]));
    });
  });
  const started = await Promise.race([port, exited]);
  if (typeof started !== 'number') throw new Error('the shop ended while starting');
  return { url: `http://127.0.0.1:${started}`, exited };
}
