import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
  type Span,
} from '@opentelemetry/api';

import { isCollecting } from '../../../async/collecting.ts';
import { messageOf } from '../../../base/errors.ts';
import { sayOnce } from '../../../base/log.ts';
import type { Providers } from '../../recorder/providers.ts';
import { isDropped } from '../../recorder/sampling.ts';
import { isSuppressed, suppressed } from '../../../carry/suppression.ts';
import { areCallsLeft, isCall } from '../grpc.ts';
import { isOfficialOnServers } from '../official.ts';
import { guard } from '../guard.ts';
import { showMethod } from '../known-methods.ts';
import { pathOf } from '../path-patterns.ts';
import { attributesOfRequest, type IncomingHead } from './request-attributes.ts';
import { askForHandlerSpans } from './handler-span.ts';
import { InFlight, RequestContext } from './request-context.ts';
import type { ReadEnd } from './response-end.ts';
import type { RequestHead, ResolvedServerConfig } from './server-config.ts';
import { ServerMetrics } from './server-metrics.ts';
import { ServerRecording } from './server-recording.ts';

/** Where nothing is recorded that is done for a request. */
const IGNORED = suppressed(ROOT_CONTEXT);

/** Begins the records of incoming requests, of all protocols. */
export class ServerRecorder {
  readonly providers: Providers;
  /** Called where the official instrumentation turns out to record incoming requests as well. */
  onOfficial: (() => void) | undefined;
  #metrics: ServerMetrics | undefined;
  #config: ResolvedServerConfig;

  constructor(providers: Providers, config: ResolvedServerConfig) {
    this.providers = providers;
    this.#config = config;
    askForHandlerSpans(config.handlerSpans);
  }

  get config(): ResolvedServerConfig {
    return this.#config;
  }

  /** May be replaced at any time; requests under way keep the one they began with. */
  set config(config: ResolvedServerConfig) {
    this.#config = config;
    askForHandlerSpans(config.handlerSpans);
  }

  /**
   * Begins a request. Returns what it is from now on, with the context in which its handler has to
   * be called; undefined where nobody looks. `request` is for hooks, and `asked` for the predicate.
   * Never throws.
   */
  start(
    head: IncomingHead,
    request: object,
    asked: RequestHead,
    readEnd: ReadEnd<never>,
  ): InFlight | undefined {
    try {
      return this.#start(head, request, asked, readEnd as ReadEnd<object>);
    } catch (error) {
      // A sampler, a processor or a propagator that throws must not cost the answer.
      sayOnce('error', `http:${messageOf(error)}`, `cannot record a request: ${messageOf(error)}`);
      return undefined;
    }
  }

  #start(
    head: IncomingHead,
    request: object,
    asked: RequestHead,
    readEnd: ReadEnd<object>,
  ): InFlight | undefined {
    const { config, providers } = this;
    const { tracer } = providers;
    const metrics = this.#currentMetrics();
    if (tracer === undefined && metrics === undefined) return undefined;
    // A server of ours, or one that somebody made where nothing is to be traced.
    if (isSuppressed(context.active())) return undefined;
    if (isOfficialOnServers()) {
      this.onOfficial?.();
      return undefined;
    }
    if (head.version === '2' && isCall(head.headers['content-type']) && areCallsLeft()) {
      return undefined;
    }
    if (this.#isIgnored(head, asked)) return within(IGNORED, new InFlight());
    // Not from the active context: a server is often made in the course of something else.
    const parent = propagation.extract(ROOT_CONTEXT, head.headers);
    const isUnseen =
      tracer === undefined || (isDropped(providers.dropped, parent) && !isCollecting());
    if (isUnseen && metrics === undefined) return inFlight(new InFlight(), parent);
    const method = showMethod(head.method, config.knownMethods);
    const span: Span =
      isUnseen || tracer === undefined
        ? trace.wrapSpanContext(trace.getSpanContext(parent) ?? NO_SPAN)
        : tracer.startSpan(
            method.name,
            { kind: SpanKind.SERVER, attributes: attributesOfRequest(head, method, config) },
            parent,
          );
    if (metrics === undefined && !span.isRecording()) return inFlight(new InFlight(span), parent);
    const measurement = metrics?.start(method.method, head.scheme, head.version);
    const recording = new ServerRecording(
      span,
      method.name,
      head.url,
      config,
      readEnd,
      measurement,
      tracer,
    );
    const { requestHook } = config;
    if (requestHook !== undefined && span.isRecording()) {
      guard('call requestHook', () => requestHook(span, request as never));
    }
    return inFlight(recording, parent);
  }

  #isIgnored(head: IncomingHead, asked: RequestHead): boolean {
    const { ignore, isIgnoredPath } = this.config;
    if (isIgnoredPath?.(pathOf(head.url)) === true) return true;
    if (ignore === undefined) return false;
    return guard('call ignore', () => ignore(asked)) === true;
  }

  #currentMetrics(): ServerMetrics | undefined {
    const { meter } = this.providers;
    if (meter === undefined) return undefined;
    if (this.#metrics?.meter !== meter) this.#metrics = new ServerMetrics(meter);
    return this.#metrics;
  }
}

const NO_SPAN = {
  traceId: '00000000000000000000000000000000',
  spanId: '0000000000000000',
  traceFlags: TraceFlags.NONE,
};

function within(context: Context, request: InFlight): InFlight {
  request.context = context;
  return request;
}

function inFlight(request: InFlight, parent: Context): InFlight {
  return within(new RequestContext(parent, request), request);
}
