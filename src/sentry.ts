/*
 * The Sentry SDK in this process, as its client shows it: every copy keeps it on the global object,
 * under its version. From version 8 to 10 Sentry traces by OpenTelemetry: its provider is the one of
 * the process and its spans stand in the same traces as clew's.
 */

/** What a hook of OpenTelemetry's HTTP instrumentation gets of a request. */
export interface OutgoingRequest {
  readonly hostname?: string | null | undefined;
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
  readonly path?: string | null | undefined;
  readonly socketPath?: string | undefined;
  readonly headers?: unknown;
}

export interface SentryClient {
  readonly isTracing: boolean;
  readonly usesOpenTelemetry: boolean;
  /** Whether it has registered its own tracer provider. */
  readonly isProvider: boolean;
  /** The libraries whose spans it makes, by their names in configuration. */
  readonly libraries: readonly string[];
  ownsRequest(request: OutgoingRequest): boolean;
}

/** The libraries of clew that an integration of Sentry makes spans for. */
const INTEGRATIONS: Readonly<Record<string, readonly string[]>> = {
  Dataloader: ['dataloader'],
  GenericPool: ['generic-pool'],
  Http: ['http'],
  Knex: ['knex'],
  LruMemoizer: ['lru-memoizer'],
  Mongo: ['mongodb'],
  Mysql: ['mysql'],
  Mysql2: ['mysql2'],
  NodeFetch: ['undici'],
  Postgres: ['pg'],
  PostgresJs: ['postgres'],
  Redis: ['redis', 'ioredis'],
};

interface Options {
  tracesSampleRate?: unknown;
  tracesSampler?: unknown;
  skipOpenTelemetrySetup?: unknown;
  tunnel?: unknown;
}

interface Client {
  getOptions(): Options;
  getDsn(): { host?: string } | undefined;
  getIntegrationByName(name: string): unknown;
}

interface Carrier {
  defaultCurrentScope?: { getClient?: () => Client | undefined };
}

/** The client of `Sentry.init()`, if that was called so far. */
export function sentryClient(): SentryClient | undefined {
  const carriers = (globalThis as { __SENTRY__?: Record<string, unknown> }).__SENTRY__;
  // Called for each request; most processes return here.
  if (carriers === undefined) return undefined;
  try {
    for (const [version, carrier] of Object.entries(carriers)) {
      const client = (carrier as Carrier).defaultCurrentScope?.getClient?.();
      if (client) return describe(client, Number.parseInt(version, 10));
    }
  } catch {
    // A version that keeps it elsewhere.
  }
  return undefined;
}

function describe(client: Client, major: number): SentryClient {
  const options = client.getOptions();
  const usesOpenTelemetry = major >= 8 && major < 11;
  return {
    isTracing: options.tracesSampleRate != null || options.tracesSampler != null,
    usesOpenTelemetry,
    isProvider: usesOpenTelemetry && options.skipOpenTelemetrySetup !== true,
    libraries: Object.entries(INTEGRATIONS)
      .filter(([name]) => client.getIntegrationByName(name) !== undefined)
      .flatMap(([, libraries]) => libraries),
    ownsRequest: ({ hostname, host, path }) => {
      const target = (hostname ?? host ?? '').replace(/:\d+$/, '');
      const { tunnel } = options;
      if (typeof tunnel === 'string' && new URL(tunnel).hostname === target) return true;
      return target === client.getDsn()?.host && /\/api\/\d+\/envelope\//.test(path ?? '');
    },
  };
}
