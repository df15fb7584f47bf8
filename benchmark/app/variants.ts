import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { peersFolder } from '../../test/support/peers.ts';
import { publishedPreload } from './published.ts';

/** How the service is started so that a tool traces it. */
export interface Variant {
  /** Arguments of Node that go before the service's file; `folder` is the application's. */
  args(folder: string): readonly string[];
  /** Its variables; each tool sends what it records to `collector`, a URL. */
  env(collector: string): Record<string, string>;
  /** Fewest spans of one request that the collector has to get; 0 where nothing is sampled. */
  spans: number;
}

/** The folder whose `node_modules` holds the application's libraries and the peers. */
export function applicationFolder(): string {
  const folder = peersFolder();
  const start = `require('@sentry/node').init({ tracesSampleRate: 1 });\n`;
  writeFileSync(join(folder, SENTRY), start);
  return folder;
}

const SENTRY = 'sentry.cjs';
const SERVICE = { OTEL_SERVICE_NAME: 'app' };
/** What the official packages would find out about the machine, and other signals, is not compared. */
const TRACES_ONLY = {
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
};
/** Three of the clients' and one of the request itself. */
export const EXACT = 4;

export const clew = (env: Record<string, string>, spans: number): Variant => ({
  args: () => ['--import', publishedPreload()],
  env: (collector) => ({ ...SERVICE, OTEL_EXPORTER_OTLP_ENDPOINT: collector, ...env }),
  spans,
});

export const VARIANTS: Readonly<Record<string, Variant>> = {
  bare: { args: () => [], env: () => ({}), spans: 0 },
  clew: clew({}, EXACT),
  'clew, not sampled': clew({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 0),
  'clew, disabled': clew({ OTEL_SDK_DISABLED: 'true' }, 0),
  'dd-trace': {
    args: (folder) => ['--require', join(folder, 'node_modules/dd-trace/init.js')],
    env: (collector) => ({
      DD_SERVICE: 'app',
      DD_TRACE_AGENT_URL: collector,
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_TRACE_STARTUP_LOGS: 'false',
      DD_RUNTIME_METRICS_ENABLED: 'false',
    }),
    spans: EXACT,
  },
  official: {
    args: (folder) => [
      '--require',
      join(folder, 'node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs'),
    ],
    env: (collector) => ({ ...SERVICE, OTEL_EXPORTER_OTLP_ENDPOINT: collector, ...TRACES_ONLY }),
    spans: EXACT,
  },
  Sentry: {
    args: (folder) => ['--import', join(folder, SENTRY)],
    env: (collector) => ({ SENTRY_DSN: collector.replace('://', '://key@') + '/1' }),
    spans: EXACT,
  },
};
