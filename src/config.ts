import type { TracerProvider } from '@opentelemetry/api';

import { applicationManifest } from './application-name.ts';
import { ClewError, optionError } from './base/errors.ts';
import type { LogLevel } from './base/log.ts';
import { workingFolder } from './base/working-folder.ts';
import { readDeliveryOptions, tracesUrlBelow } from './export/delivery-options.ts';
import type { PipelineOptions, SamplerOptions } from './export/sdk/pipeline.ts';
import { PROPAGATORS } from './export/sdk/propagators.ts';
import {
  checkHttpConfig,
  CLIENT_NAMES,
  INSTRUMENTED_LIBRARIES,
  MESSAGING_NAMES,
  readConsumerSpans,
  readHttpClientSettings,
  readHttpServerSettings,
  readRequireParent,
  type ConsumerSpans,
  type HttpConfig,
  type RequireParent,
} from './instrumentation/index.ts';
import { readLogSettings, type LogSettings } from './instrumentation/loggers/settings.ts';
import { readProcessSettings, type ProcessSettings } from './instrumentation/processes/index.ts';
import type { RuleSet } from './instrumentation/rules/index.ts';
import { SettingsReader, type Environment } from './base/settings-reader.ts';
import { reportUnknownVariables } from './known-variables.ts';
import { readTracingSettings } from './tracer/settings.ts';
import type { TracingSettings } from './tracer/tracing.ts';

/** An instrumentation, OpenTelemetry's or clew's own, as `registerInstrumentations` accepts it. */
export interface OtelInstrumentation {
  readonly instrumentationName: string;
  enable(): void;
  disable(): void;
  setTracerProvider(provider: TracerProvider): void;
}

/**
 * Options of `start`. An option that is left out is read from the environment, then takes its
 * default.
 */
export interface StartOptions {
  /** `service.name`; default: `OTEL_SERVICE_NAME`, then the application's package name. */
  serviceName?: string;
  /** OTLP/HTTP base URL; default: `OTEL_EXPORTER_OTLP_ENDPOINT`, then `http://127.0.0.1:4318`. */
  endpoint?: string;
  /** Further OpenTelemetry instrumentations, enabled in addition to clew's. */
  instrumentations?: readonly OtelInstrumentation[];
  /** Configures HTTP spans. Options that are left out are read from the environment. */
  http?: HttpConfig;
  /** Repair rules for libraries that clew does not know, in addition to `clew.rules.json`. */
  rules?: RuleSet;
  /** Whether spans are flushed on `beforeExit`, SIGTERM and SIGINT; default: true. */
  flushOnExit?: boolean;
  /** How much is logged to stderr; default: `OTEL_LOG_LEVEL`, then `info`. */
  logLevel?: LogLevel;
}

/** Everything `start` needs, decided once and frozen. */
export interface Config extends PipelineOptions {
  /** `OTEL_SDK_DISABLED`: no spans; contexts are still propagated. */
  readonly disabled: boolean;
  readonly propagators: readonly string[];
  readonly isInstrumentationEnabled: (name: string) => boolean;
  readonly instrumentations: readonly OtelInstrumentation[];
  /** For which clients operations have a span only inside another. */
  readonly requireParent: RequireParent;
  /** What the span of a consumer is to its producer's. */
  readonly consumerSpans: ConsumerSpans;
  readonly http: HttpConfig;
  readonly rules: RuleSet;
  readonly flushOnExit: boolean;
  readonly logLevel: LogLevel;
  /** Whether spans get attributes that only Jaeger reads. */
  readonly jaegerHints: boolean;
  /** Whether the start is reported at level info, and not only at debug. */
  readonly reportStart: boolean;
  /** What logs get of the active span. */
  readonly logs: LogSettings;
  /** What passes between this process and the threads and processes around it. */
  readonly processes: ProcessSettings;
  /** What the async-resource tracer does. */
  readonly tracing: TracingSettings;
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];
/** What may be switched by its name: ours. */
const INSTRUMENTED = INSTRUMENTED_LIBRARIES;
/** The variables are read by other tools beside us, whose further names are no mistakes. */
const OFFICIAL = (
  'amqplib aws-lambda aws-sdk cassandra-driver connect cucumber dns express fastify fs graphql grpc hapi ' +
  'host-metrics kafkajs koa mongoose nestjs-core net openai oracledb restify router runtime-node socket.io tedious'
).split(' ');
const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'];
const OPTIONS = [
  'serviceName',
  'endpoint',
  'instrumentations',
  'http',
  'rules',
  'flushOnExit',
  'logLevel',
] as const;

/**
 * Decides the configuration from options and environment. The only side effect is reading the
 * application's package.json. A bad value never stops anything: it is added to `problems`, which
 * the caller logs, and the default is used.
 */
export function readConfig(
  options: StartOptions,
  env: Environment,
): { config: Config; problems: ClewError[] } {
  const reader = new SettingsReader(env);
  const { problems } = reader;
  for (const name of Object.keys(options)) {
    if ((OPTIONS as readonly string[]).includes(name)) continue;
    const message = `Unknown option \`${name}\` is ignored. Known are ${OPTIONS.join(', ')}.`;
    problems.push(new ClewError('ERR_OPTION', message));
  }
  const manifest = applicationManifest({
    argv: process.argv,
    execArgv: process.execArgv,
    cwd: workingFolder(),
    env,
  });
  const delivery = readDeliveryOptions(env);
  problems.push(...delivery.problems);
  const tracing = readTracingSettings(env);
  problems.push(...tracing.problems);
  // The rules look for themselves whether they are off; here it is checked.
  reader.toggle('CLEW_REPAIR', true);
  reportUnknownVariables(env, problems);
  const logs = readLogSettings(env);
  problems.push(...logs.problems);
  const processes = readProcessSettings(env);
  problems.push(...processes.problems);
  const { requireParent, problems: unknownClients } = readRequireParent(env, CLIENT_NAMES);
  problems.push(...unknownClients);
  const { consumerSpans, problems: badSpans } = readConsumerSpans(env, MESSAGING_NAMES);
  problems.push(...badSpans);
  problems.push(...readHttpServerSettings(env).problems);
  problems.push(...readHttpClientSettings(env).problems);
  const endpoint = reader.url('endpoint', textOption(options, 'endpoint', problems));
  const tracesUrl = endpoint ? tracesUrlBelow(endpoint) : delivery.options.url;
  const resourceAttributes = reader.pairs('OTEL_RESOURCE_ATTRIBUTES');
  const instrumentations = instrumentationsOption(options.instrumentations, problems);
  const config: Config = {
    disabled: reader.choice('OTEL_SDK_DISABLED', ['true', 'false'], 'false') === 'true',
    serviceName:
      textOption(options, 'serviceName', problems) ??
      reader.text('OTEL_SERVICE_NAME') ??
      resourceAttributes['service.name'] ??
      manifest?.name ??
      'unknown_service:node',
    serviceVersion: resourceAttributes['service.version'] ?? manifest?.version,
    resourceAttributes,
    exporter: reader.choice('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], 'otlp'),
    tracesUrl,
    sampler: samplerOptions(reader),
    spanLimits: spanLimits(reader),
    delivery: { ...delivery.options, url: tracesUrl },
    propagators: propagators(reader),
    isInstrumentationEnabled: instrumentationFilter(reader, instrumentations),
    instrumentations,
    requireParent,
    consumerSpans,
    http: httpOption(options.http, problems),
    rules: options.rules ?? {},
    flushOnExit: booleanOption(options, 'flushOnExit', true, problems),
    logLevel: logLevel(reader, textOption(options, 'logLevel', problems)),
    jaegerHints: reader.toggle('CLEW_JAEGER_HINTS', false),
    reportStart: reader.text('CLEW_REPORT_START') === '1',
    logs: logs.settings,
    processes: processes.settings,
    tracing: tracing.settings,
  };
  return { config: Object.freeze(config), problems };
}

function textOption(
  options: StartOptions,
  name: keyof StartOptions,
  problems: ClewError[],
): string | undefined {
  const value: unknown = options[name];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  problems.push(optionError(name, 'a non-empty string', value));
  return undefined;
}

function booleanOption(
  options: StartOptions,
  name: keyof StartOptions,
  fallback: boolean,
  problems: ClewError[],
): boolean {
  const value: unknown = options[name] ?? fallback;
  if (typeof value === 'boolean') return value;
  problems.push(optionError(name, 'a boolean', value));
  return fallback;
}

function samplerOptions(reader: SettingsReader): SamplerOptions {
  const name = reader.choice('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on');
  return {
    parentBased: name.startsWith('parentbased_'),
    root: name.replace('parentbased_', '') as SamplerOptions['root'],
    ratio: reader.ratio('OTEL_TRACES_SAMPLER_ARG', 1),
  };
}

function spanLimits(reader: SettingsReader): PipelineOptions['spanLimits'] {
  const limits = {
    attributeCountLimit:
      reader.wholeNumber('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT') ??
      reader.wholeNumber('OTEL_ATTRIBUTE_COUNT_LIMIT'),
    attributeValueLengthLimit:
      reader.wholeNumber('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ??
      reader.wholeNumber('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
    eventCountLimit: reader.wholeNumber('OTEL_SPAN_EVENT_COUNT_LIMIT'),
    linkCountLimit: reader.wholeNumber('OTEL_SPAN_LINK_COUNT_LIMIT'),
    attributePerEventCountLimit: reader.wholeNumber('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
    attributePerLinkCountLimit: reader.wholeNumber('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
  };
  const set = Object.entries(limits).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as PipelineOptions['spanLimits'];
}

/** If no entry of the list is known, the default is used. */
function propagators(reader: SettingsReader): string[] {
  const names = reader.words('OTEL_PROPAGATORS', [...PROPAGATORS, 'none']) ?? [];
  if (names.length === 0) return ['tracecontext', 'baggage'];
  return names.filter((name) => name !== 'none');
}

/** Enabled first, then disabled; short names such as `pg` or `http`. */
function instrumentationFilter(
  reader: SettingsReader,
  brought: readonly OtelInstrumentation[],
): (name: string) => boolean {
  const short = (name: string): string =>
    name.replace(/^clew\/|^@opentelemetry\/instrumentation-/, '');
  const known = [
    ...INSTRUMENTED,
    ...OFFICIAL,
    ...brought.map((one) => short(one.instrumentationName)),
  ];
  const enabled = reader.knownNames('OTEL_NODE_ENABLED_INSTRUMENTATIONS', known);
  const disabled = reader.knownNames('OTEL_NODE_DISABLED_INSTRUMENTATIONS', known);
  return (name) => (enabled?.has(short(name)) ?? true) && !(disabled?.has(short(name)) ?? false);
}

function instrumentationsOption(value: unknown, problems: ClewError[]): OtelInstrumentation[] {
  const list: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.filter((item): item is OtelInstrumentation => {
    if (isInstrumentation(item)) return true;
    problems.push(optionError('instrumentations', 'a list of instrumentations', item));
    return false;
  });
}

function httpOption(value: HttpConfig | undefined, problems: ClewError[]): HttpConfig {
  try {
    return checkHttpConfig(value ?? {});
  } catch (error) {
    if (!(error instanceof ClewError)) throw error;
    problems.push(error);
    return {};
  }
}

function logLevel(reader: SettingsReader, option: string | undefined): LogLevel {
  const known = option !== undefined && LOG_LEVELS.includes(option);
  if (option !== undefined && !known) {
    reader.problems.push(optionError('logLevel', `one of ${LOG_LEVELS.join(', ')}`, option));
  }
  const level = known ? option : reader.choice('OTEL_LOG_LEVEL', LOG_LEVELS, 'info');
  return level === 'all' || level === 'verbose' ? 'debug' : (level as LogLevel);
}

function isInstrumentation(value: unknown): value is OtelInstrumentation {
  const candidate = value as Partial<OtelInstrumentation> | null;
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    typeof candidate.enable === 'function' &&
    typeof candidate.disable === 'function' &&
    typeof candidate.setTracerProvider === 'function'
  );
}
