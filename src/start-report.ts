import type { Config } from './config.ts';
import { VERSION } from './instrumentation/version.ts';

/** What `start` did, as far as its report shows it. */
export interface Started {
  readonly store: string | undefined;
  readonly isProvider: boolean;
  /** The libraries whose spans clew makes. */
  readonly libraries: readonly string[];
}

/** Begins the names of clew's own instrumentations, which a user may have configured. */
const OWN = 'clew/';

/** The report of a start, as lines of the log. */
export function startReport(config: Config, { store, isProvider, libraries }: Started): string[] {
  const names = config.instrumentations.map((one) => one.instrumentationName);
  const own = names.filter((name) => name.startsWith(OWN));
  const yours = names.filter((name) => !name.startsWith(OWN));
  const instrumented = [...libraries, ...own.map((name) => name.slice(OWN.length))];
  const version = config.serviceVersion ? ` ${config.serviceVersion}` : '';
  return [
    `clew ${VERSION} on Node ${process.versions.node}, context store: ${store ?? 'not registered'}`,
    `service ${config.serviceName}${version}`,
    config.disabled ? 'no spans: OTEL_SDK_DISABLED is true' : spansGo(config, isProvider),
    ...(config.disabled ? [] : [`instrumented: ${instrumented.join(', ') || 'nothing'}`]),
    ...(yours.length === 0 ? [] : [`yours: ${yours.join(', ')}`]),
  ];
}

/**
 * The same for a user who watches the start: the facts that no other line reports, in one or two
 * lines.
 */
export function shortReport(config: Config, { isProvider }: Started): string[] {
  const { serviceName, serviceVersion, disabled, exporter } = config;
  const service = serviceVersion ? `${serviceName} ${serviceVersion}` : serviceName;
  const lines = [`clew ${VERSION} on Node ${process.versions.node}, service ${service}`];
  if (disabled) lines.push('no spans: OTEL_SDK_DISABLED is true');
  // Of a collector the command reports whether it answers, too.
  else if (!isProvider || exporter !== 'otlp') lines.push(spansGo(config, isProvider));
  return lines;
}

/** A line for each library without spans. */
export function uncoveredReport(found: readonly { library: string; by: string }[]): string[] {
  return found.map(({ library, by }) => `no spans for ${library}; ${by} creates them`);
}

function spansGo({ exporter, tracesUrl }: Config, isProvider: boolean): string {
  if (!isProvider) return 'spans go to the tracer provider that was registered before';
  if (exporter === 'otlp') return `spans go to ${withoutCredentials(tracesUrl)}`;
  return exporter === 'console' ? 'spans go to the console' : 'spans go nowhere';
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, '');
}
