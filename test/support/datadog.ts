import { createRequire } from 'node:module';

import { peersFolder } from './peers.ts';

/** What is used of a span of dd-trace, which its interface does not show. */
export interface DatadogSpan {
  context(): {
    _name: string;
    _parentId: { toString(radix: number): string } | null;
    toTraceId(asHex: boolean): string;
    toSpanId(asHex: boolean): string;
    _trace: { started: unknown[]; finished: unknown[] };
    getTag(name: string): unknown;
  };
}

interface Tracer {
  init(options: object): Tracer;
  use(plugin: string, config?: object): Tracer;
  trace<Result>(name: string, fn: () => Result): Result;
  TracerProvider: new () => { register(): void };
  _tracer: { _processor: { process(span: DatadogSpan): void } };
}

/** The plugins for a client by its name in clew, for those that dd-trace knows. */
const PLUGINS: Readonly<Record<string, string>> = {
  pg: 'pg',
  postgres: 'postgres',
  mysql: 'mysql',
  mysql2: 'mysql2',
  mariadb: 'mariadb',
  ioredis: 'ioredis',
  iovalkey: 'iovalkey',
  redis: 'redis',
  mongodb: 'mongodb-core',
  memcached: 'memcached',
};

/** The earliest line of Node that dd-trace 6 runs on. */
export const DATADOG_NODE = 22;

/** Whether dd-trace has a plugin for a client; a cluster and an earlier version are named after it. */
export function hasDatadog(client: string): boolean {
  return pluginOf(client) !== undefined;
}

const pluginOf = (client: string): string | undefined => PLUGINS[client.split(' ')[0] ?? ''];

/**
 * Starts dd-trace with the plugin for `client` alone, before that client is loaded. Spans that end go to
 * `onSpan` and nowhere else: nothing is formatted or sent.
 */
export function startDatadog(client: string, onSpan: (span: DatadogSpan) => void): Tracer {
  Object.assign(process.env, {
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    DD_TRACE_STARTUP_LOGS: 'false',
    DD_TRACE_AGENT_URL: 'http://127.0.0.1:9',
  });
  const load = createRequire(`${peersFolder()}/index.js`);
  const tracer = (load('dd-trace') as Tracer).init({ plugins: false });
  const plugin = pluginOf(client);
  if (plugin !== undefined) tracer.use(plugin);
  tracer._tracer._processor.process = (span) => {
    onSpan(span);
    // What the processor would forget when it has sent a trace.
    const { _trace: trace } = span.context();
    trace.started.length = 0;
    trace.finished.length = 0;
  };
  return tracer;
}
