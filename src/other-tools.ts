import type { ClientRequest } from 'node:http';

import { environment } from './base/environment.ts';
import type { HttpConfig, OutgoingRequest as SentRequest } from './instrumentation/index.ts';
import { sentryClient, type OutgoingRequest, type SentryClient } from './sentry.ts';

/*
 * Other tracers that run beside clew in the same process, each with its own backend: how they are
 * recognised, whether they trace, how to choose between them, and which requests they send. All of
 * this is read from the environment, from the names of loaded packages and from what tools leave on
 * the global object.
 */

export interface OtherTool {
  readonly name: string;
  /** Packages that are loaded with it. */
  readonly packages: readonly string[];
  /** Whether it makes spans beside clew's, once it is loaded; undefined where it has yet to decide. */
  isTracing(): boolean | undefined;
  /** Whether it is there although none of its packages was seen. */
  isPresent?(): boolean;
  /** What turns its tracing off. */
  readonly off: string;
  /** Whether a request goes to the tool's own backend. */
  ownsRequest(request: OutgoingRequest): boolean;
}

const DATADOG = Symbol.for('dd-trace');
const isDatadogLoaded = (): boolean =>
  (globalThis as Record<symbol, unknown>)[DATADOG] !== undefined;

export const OTHER_TOOLS: readonly OtherTool[] = [
  {
    name: 'dd-trace',
    packages: ['dd-trace'],
    isPresent: isDatadogLoaded,
    isTracing: () => !isOff('DD_TRACE_ENABLED'),
    off: 'DD_TRACE_ENABLED=false',
    ownsRequest: (request) =>
      isDatadogLoaded() && (hasHeader(request, /^(?:datadog-|dd-)/i) || isDatadogAgent(request)),
  },
  {
    name: 'Sentry',
    packages: ['@sentry/node', '@sentry/core'],
    isPresent: () => sentryClient() !== undefined,
    // One that traces by OpenTelemetry makes no spans beside: they are in the same traces.
    isTracing: () => isTracingApart(sentryClient()),
    off: 'no tracesSampleRate in Sentry.init()',
    ownsRequest: (request) => sentryClient()?.ownsRequest(request) ?? false,
  },
  {
    name: 'New Relic',
    packages: ['newrelic'],
    isTracing: () => !isOff('NEW_RELIC_ENABLED'),
    off: 'NEW_RELIC_ENABLED=false',
    ownsRequest: ({ host, hostname }) => /\.newrelic\.com(?::\d+)?$/.test(hostname ?? host ?? ''),
  },
  {
    name: 'Elastic APM',
    packages: ['elastic-apm-node'],
    isTracing: () => !isOff('ELASTIC_APM_ACTIVE'),
    off: 'ELASTIC_APM_ACTIVE=false',
    ownsRequest: ({ headers }) =>
      Object.entries(headers ?? {}).some(([name, value]) => {
        return /^user-agent$/i.test(name) && String(value).startsWith('apm-agent-nodejs');
      }),
  },
];

/** The configuration of HTTP in which the requests of other tools to their backends are ignored, too. */
export function leavingToolsAlone(http: HttpConfig): HttpConfig {
  const { ignore } = http.outgoing ?? {};
  return {
    ...http,
    outgoing: {
      ...http.outgoing,
      ignore: (request) => isRequestOfTool(addressed(request)) || ignore?.(request) === true,
    },
  };
}

function addressed({ host, port, path, native }: SentRequest): OutgoingRequest {
  return {
    hostname: host,
    port,
    path,
    ...(host?.startsWith('/') && { socketPath: host }),
    // Few tools need them, and all would have to be copied.
    get headers() {
      return (native as Partial<ClientRequest>).getHeaders?.();
    },
  };
}

/** Whether a request is one that another tool makes to its own backend. It never throws. */
function isRequestOfTool(request: OutgoingRequest): boolean {
  try {
    return OTHER_TOOLS.some((tool) => tool.ownsRequest(request));
  } catch {
    return false;
  }
}

function isTracingApart(client: SentryClient | undefined): boolean | undefined {
  return client && client.isTracing && !client.usesOpenTelemetry;
}

function isOff(variable: string): boolean {
  return /^(?:false|0)$/i.test(environment()[variable] ?? '');
}

function hasHeader({ headers }: OutgoingRequest, pattern: RegExp): boolean {
  return Object.keys(headers ?? {}).some((name) => pattern.test(name));
}

/** The agent's address, as dd-trace reads it. */
function isDatadogAgent({ hostname, host, port, socketPath }: OutgoingRequest): boolean {
  const { env } = process;
  const url = env['DD_TRACE_AGENT_URL'];
  if (socketPath) return url?.endsWith(socketPath) ?? socketPath.includes('datadog');
  const agent = url
    ? new URL(url)
    : {
        hostname: env['DD_AGENT_HOST'] || env['DD_TRACE_AGENT_HOSTNAME'] || '127.0.0.1',
        port: env['DD_TRACE_AGENT_PORT'] || '8126',
      };
  return String(port ?? '80') === agent.port && (hostname ?? host) === agent.hostname;
}
