import {
  ProxyTracerProvider,
  SpanKind,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

import { sayOnce } from './base/log.ts';
import type { OtelInstrumentation } from './config.ts';
import {
  ClientInstrumentation,
  FrameworkInstrumentation,
  HttpInstrumentation,
  MessagingInstrumentation,
  isOfficialOnUndici,
  isPatchedElsewhere,
  leaveHandlerSpans,
  suspectHandlerSpans,
  type Direction,
} from './instrumentation/index.ts';
import { sentryClient, type SentryClient } from './sentry.ts';
import { withoutDoubles } from './sentry-tracer.ts';

/*
 * Decides which instrumentation makes the spans of a library if several could. The user's goes
 * before the built-in one: an instrumentation passed to `start`, one that replaced the library's
 * methods before ours did, or one whose tracer starts a span. Ours then keeps callers' contexts and
 * makes no spans. Other instrumentations are never switched off.
 */

const NO_SPANS: TracerProvider = new ProxyTracerProvider().getDelegate();

/** Names of the official packages that differ from those of the libraries. */
const ALIASES: Readonly<Record<string, string>> = { 'redis-4': 'redis' };

/** Instrumentations whose names have another form than the one below, with their libraries. */
const OTHERS: Readonly<Record<string, string>> = { '@fastify/otel': 'fastify' };

/** The form of the names of instrumentations that are published, as `@opentelemetry/instrumentation-pg`. */
const PUBLISHED = /^(?:@[^/]+\/)?(?:opentelemetry-)?(?:instrumentation|plugin)-(?=.)/;

/** The library of an instrumentation, from names such as `clew/pg` and `@opentelemetry/instrumentation-pg`. */
export function libraryOf(instrumentationName: string): string {
  const name = instrumentationName.replace(/^clew\//, '').replace(PUBLISHED, '');
  return OTHERS[name] ?? ALIASES[name] ?? name;
}

/** Whether a tracer's name is that of an instrumentation: `pg` alone is what an application calls its own. */
function isInstrumentation(name: string): boolean {
  return PUBLISHED.test(name) || Object.hasOwn(OTHERS, name);
}

/** One that is built in, and what takes it out of another's way. */
interface BuiltIn {
  readonly instrumentation: OtelInstrumentation;
  readonly stepAside: () => void;
}

/** The instrumentations that are built in, by their libraries, and those that stepped aside. */
export class InstrumentationSet {
  readonly #builtIn = new Map<string, BuiltIn>();
  readonly #aside = new Set<string>();
  #isSentryKnown = false;
  /** One that was initialised after clew, and traces: its spans go where those of clew go. */
  #second: SentryClient | undefined;
  /** Whether spans go to a provider of clew's. */
  #isProvider = false;

  /** Adds one that is built in. */
  add(instrumentation: OtelInstrumentation): void {
    const library = libraryOf(instrumentation.instrumentationName);
    const stepAside = (): void => {
      if (instrumentation instanceof HttpInstrumentation) {
        for (const direction of DIRECTIONS) instrumentation.leave(direction);
      } else instrumentation.setTracerProvider(NO_SPANS);
    };
    this.#builtIn.set(library, { instrumentation, stepAside });
    if (library === 'undici') this.#leaveUndici();
    const isPatched =
      instrumentation instanceof ClientInstrumentation ||
      instrumentation instanceof MessagingInstrumentation;
    if (!isPatched) return;
    instrumentation.onArrival = (exports) => {
      this.leaveToSentry();
      if (isPatchedElsewhere(exports) && !this.#second?.libraries.includes(library)) {
        this.leaveToOther(library, 'an OpenTelemetry instrumentation');
      }
    };
  }

  /** The libraries whose spans the built-in instrumentations make. */
  get libraries(): string[] {
    return [...this.#builtIn.keys()].filter((library) => !this.#aside.has(library));
  }

  /** Leaves the spans of what `brought` covers to it, which was given to `start`. */
  leaveTo(brought: OtelInstrumentation): void {
    const { instrumentationName: name } = brought;
    const library = libraryOf(name);
    const http = this.#httpOf(library);
    if (http) {
      for (const direction of directionsOf(brought)) leaveDirection(http, direction, name);
    } else if (this.#isFramework(library)) leaveHandlers(library, name);
    else if (this.#stepAside(library)) reportBrought(library, name);
  }

  /** Leaves the spans of `library` to another tool that was found to make them as well. */
  leaveToOther(library: string, other: string): void {
    if (!this.#stepAside(library)) return;
    // Applications often bring their own instrumentation of HTTP, which records everything that
    // ours would.
    if (library === 'undici') reportBrought(library, other);
    else reportTwice(library, other);
  }

  /**
   * Leaves a library to Sentry if Sentry makes spans for it in the same traces. Sentry may be
   * initialised at any time, so this is checked whenever a library is loaded.
   */
  leaveToSentry(): void {
    if (this.#isSentryKnown) return;
    const client = sentryClient();
    // Its integrations are there a moment after it.
    if (client === undefined || client.libraries.length === 0) return;
    this.#isSentryKnown = true;
    if (!client.isTracing || !client.usesOpenTelemetry) return;
    if (this.#isProvider && client.isProvider) {
      // What Sentry propagates here is not sampled: without clew's spans there would be none.
      this.#second = client;
      sayOnce(
        'warn',
        'twice:Sentry',
        'Sentry was initialised after clew, with tracing, and gets no spans: they go where those of ' +
          'clew go, except those that clew creates itself. To choose, initialise Sentry before clew, or ' +
          'leave tracesSampleRate out of Sentry.init().',
      );
      return;
    }
    const left = client.libraries.filter((library) => this.#stepAside(library));
    if (left.length === 0) return;
    sayOnce(
      'warn',
      'twice:Sentry',
      `Sentry also creates spans; clew leaves these to it: ${left.join(', ')}. ` +
        `To have clew's, leave tracesSampleRate out of Sentry.init().`,
    );
  }

  /**
   * Finds instrumentations that were registered elsewhere, by the tracers they get from `provider`.
   */
  watch(provider: TracerProvider): void {
    this.#isProvider = true;
    const getTracer = provider.getTracer.bind(provider);
    provider.getTracer = (name, version, options) => {
      const tracer = getTracer(name, version, options);
      this.leaveToSentry();
      if (name.startsWith('@sentry/')) {
        return withoutDoubles(tracer, (library) => {
          this.leaveToSentry();
          return (
            this.#second !== undefined && this.#makesSpans(library) && !this.#aside.has(library)
          );
        });
      }
      const library = libraryOf(name);
      if (isInstrumentation(name) && this.#isFramework(library)) {
        suspectHandlerSpans(library);
        return watched(tracer, () => leaveHandlers(library, name));
      }
      const isRival = isInstrumentation(name) && this.#makesSpans(library);
      if (!isRival || this.#aside.has(library)) return tracer;
      const http = this.#httpOf(library);
      return watched(tracer, (kind) => {
        if (http === undefined) this.leaveToOther(library, name);
        else leaveDirection(http, kind === SpanKind.SERVER ? 'incoming' : 'outgoing', name);
      });
    };
  }

  #httpOf(library: string): HttpInstrumentation | undefined {
    const { instrumentation } = this.#builtIn.get(library) ?? {};
    return instrumentation instanceof HttpInstrumentation ? instrumentation : undefined;
  }

  /** Before its first span, which ours would make a second time. */
  #leaveUndici(): void {
    if (isOfficialOnUndici()) this.leaveToOther('undici', '@opentelemetry/instrumentation-undici');
  }

  /** Those of frameworks complement the spans of the server, which others may do as well. */
  #makesSpans(library: string): boolean {
    return this.#builtIn.has(library) && !this.#isFramework(library);
  }

  #isFramework(library: string): boolean {
    return this.#builtIn.get(library)?.instrumentation instanceof FrameworkInstrumentation;
  }

  #stepAside(library: string): boolean {
    const builtIn = this.#builtIn.get(library);
    if (builtIn === undefined || !this.#makesSpans(library) || this.#aside.has(library))
      return false;
    this.#aside.add(library);
    builtIn.stepAside();
    return true;
  }
}

/** Reports a library that two instrument: how to choose the first time, in short after that. */
function reportTwice(library: string, other: string): void {
  const isFirst = sayOnce(
    'warn',
    'twice',
    `${library} is instrumented twice, by clew and by ${other}; clew creates no spans for it. ` +
      `Remove the other to have clew's, or give it to start({ instrumentations }).`,
  );
  if (isFirst) return;
  const message = `${library} is instrumented twice, too; clew creates no spans for it.`;
  sayOnce('warn', `twice:${library}`, message);
}

const DIRECTIONS: readonly Direction[] = ['incoming', 'outgoing'];

/**
 * The part of the configuration of OpenTelemetry's HTTP instrumentation that defines what it
 * covers.
 */
interface OfficialConfig {
  disableIncomingRequestInstrumentation?: boolean;
  disableOutgoingRequestInstrumentation?: boolean;
}

/** The directions that `brought` covers. */
function directionsOf(brought: OtelInstrumentation): Direction[] {
  const config = (brought as { getConfig?(): OfficialConfig }).getConfig?.() ?? {};
  return DIRECTIONS.filter((direction) =>
    direction === 'incoming'
      ? config.disableIncomingRequestInstrumentation !== true
      : config.disableOutgoingRequestInstrumentation !== true,
  );
}

/**
 * A tracer that reports the kind of each span before it starts: an instrumentation that is switched
 * off has a tracer, too. It is a separate object, since a provider returns the same tracer to all
 * callers with the same name.
 */
function watched(tracer: Tracer, onSpan: (kind: SpanKind | undefined) => void): Tracer {
  const startSpan: Tracer['startSpan'] = (name, options, context) => {
    onSpan(options?.kind);
    return tracer.startSpan(name, options, context);
  };
  const startActiveSpan = (...args: Parameters<Tracer['startActiveSpan']>): unknown => {
    const [, options] = args as unknown[];
    onSpan((options as { kind?: SpanKind } | undefined)?.kind);
    return tracer.startActiveSpan(...args);
  };
  return Object.assign(Object.create(tracer) as Tracer, { startSpan, startActiveSpan });
}

function leaveDirection(http: HttpInstrumentation, direction: Direction, name: string): void {
  http.leave(direction);
  sayOnce(
    'debug',
    `brought:http:${direction}`,
    `spans of ${direction} HTTP requests are created by your ${name}.`,
  );
}

/**
 * Leaves the spans of middleware and handlers, which are optional, to an official instrumentation.
 */
function leaveHandlers(library: string, name: string): void {
  if (!leaveHandlerSpans(library)) return;
  const message = `spans of the handlers of ${library} are created by your ${name}.`;
  sayOnce('debug', `brought:handlers:${library}`, message);
}

function reportBrought(library: string, name: string): void {
  sayOnce('debug', `brought:${library}`, `spans of ${library} are created by your ${name}.`);
}
