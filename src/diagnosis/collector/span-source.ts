import { isSpanContextValid, trace, SpanKind, type Context, type Span } from '@opentelemetry/api';

import { ownerOf, patchHotMethod, patchMethod, type Undo } from '../../base/patch.ts';
import { apiRegistry, onApiRegistry, onRegistered, type ApiRegistry } from './api-registry.ts';
import type { ContextOrigins, Origin } from './context-origins.ts';
import type { SpanSink, SpanSource } from './span-event.ts';

interface Provider {
  getTracer?(name: string): object;
  getDelegate?(): object;
  setDelegate?(delegate: object): void;
}
interface StartSpan {
  startSpan(name: string, options?: { kind?: SpanKind; root?: boolean }, parent?: Context): Span;
  instrumentationScope?: { name?: string };
  instrumentationLibrary?: { name?: string };
}

/**
 * Observes the spans of any provider registered with the API, from any SDK and through any copy of
 * the API.
 */
export class OtelSpans implements SpanSource {
  readonly #undos: Undo[] = [];
  readonly #patched = new WeakSet<object>();
  readonly #origins: ContextOrigins | undefined;
  #sink: SpanSink | undefined;
  #known: unknown;

  /** With `origins`, activations of contexts are watched, too. */
  constructor(origins: ContextOrigins | undefined) {
    this.#origins = origins;
  }

  start(sink: SpanSink): void {
    this.#sink = sink;
    this.#undos.push(onApiRegistry((registry) => this.#watch(registry)));
  }

  stop(): void {
    for (const undo of this.#undos.splice(0).toReversed()) undo();
    this.#sink = undefined;
  }

  active(): object | undefined {
    // Not through clew's own copy of the API, which may not see the registrations of another copy.
    const active = apiRegistry()?.context?.active?.();
    const span = active && trace.getSpan(active);
    // Without a provider, the API returns a placeholder span, which is not the span of a request.
    return span && isSpanContextValid(span.spanContext()) ? span : undefined;
  }

  origin(): Origin | undefined {
    return this.#origins?.of(apiRegistry()?.context?.active?.());
  }

  /** Checks for a provider that was registered after another one was removed. */
  look(): void {
    const provider = apiRegistry()?.trace;
    if (provider !== this.#known) this.#found(provider);
  }

  #watch(registry: ApiRegistry): void {
    this.#undos.push(onRegistered(registry, 'trace', (provider) => this.#found(provider)));
    const origins = this.#origins;
    if (!origins) return;
    let undo: Undo | undefined;
    const stop = onRegistered(registry, 'context', (manager) => {
      undo?.();
      undo = manager === undefined ? undefined : origins.watch(manager);
    });
    this.#undos.push(stop, () => undo?.());
  }

  #found(provider: unknown): void {
    if (typeof provider !== 'object' || provider === null) return;
    this.#known = provider;
    const proxy = provider as Provider;
    // The API first registers a proxy, and sets its provider after that.
    if (typeof proxy.setDelegate === 'function') {
      if (this.#patched.has(proxy)) return;
      this.#patched.add(proxy);
      const undo = patchMethod(proxy as Required<Provider>, 'setDelegate', (original) => {
        const found = (delegate: object): void => this.#patchTracer(delegate);
        return function (delegate) {
          original.call(this, delegate);
          found(delegate);
        };
      });
      if (undo) this.#undos.push(undo);
    }
    this.#patchTracer(proxy.getDelegate?.() ?? proxy);
  }

  #patchTracer(provider: Provider): void {
    try {
      const tracer = provider.getTracer?.('clew/doctor');
      const prototype = tracer && ownerOf(tracer, 'startSpan');
      if (!prototype || this.#patched.has(prototype) || isNoop(tracer)) return;
      this.#patched.add(prototype);
      const undo = this.#patchStart(prototype as StartSpan);
      if (undo) this.#undos.push(undo);
    } catch {
      // A provider that cannot be inspected is not watched.
    }
  }

  #patchStart(prototype: StartSpan): Undo | undefined {
    const started = (
      span: Span,
      tracer: StartSpan,
      name: string,
      options: { kind?: SpanKind; root?: boolean } | undefined,
      parent: Context | undefined,
    ): void => this.#started(span, tracer, name, options, parent);
    return patchHotMethod(prototype, 'startSpan', (original, patch) => {
      return function startSpan(this: StartSpan, ...args) {
        const span = original.apply(this, args);
        if (!patch.isUndone) started(span, this, args[0], args[1], args[2]);
        return span;
      };
    });
  }

  #started(
    span: Span,
    tracer: StartSpan,
    name: string,
    options: { kind?: SpanKind; root?: boolean } | undefined,
    parentContext: Context | undefined,
  ): void {
    const sink = this.#sink;
    if (!sink) return;
    try {
      const { traceId } = span.spanContext();
      // A suppressed span does not count.
      if (!trace.isSpanContextValid(span.spanContext())) return;
      this.#patchEnd(span);
      const isRoot = options?.root === true;
      const parent = isRoot ? undefined : this.#parentIn(parentContext);
      sink.started({
        key: span,
        parent,
        isRemote: parent?.spanContext().isRemote === true,
        isRoot,
        isEntry: options?.kind === SpanKind.SERVER || options?.kind === SpanKind.CONSUMER,
        name,
        scope: tracer.instrumentationScope?.name ?? tracer.instrumentationLibrary?.name ?? '',
        traceId,
      });
    } catch {
      // Must not throw into the application.
    }
  }

  #parentIn(parentContext: Context | undefined): Span | undefined {
    const parent = parentContext ?? apiRegistry()?.context?.active?.();
    return parent && trace.getSpan(parent);
  }

  #patchEnd(span: Span): void {
    const prototype = ownerOf(span, 'end') as Span | undefined;
    if (!prototype || this.#patched.has(prototype)) return;
    this.#patched.add(prototype);
    const ended = (key: object): void => this.#sink?.ended(key);
    const undo = patchHotMethod(prototype, 'end', (original, patch) => {
      return function end(this: Span, ...args) {
        original.apply(this, args);
        if (!patch.isUndone) ended(this);
      };
    });
    if (undo) this.#undos.push(undo);
  }
}

/** The API's own tracers make no spans. */
function isNoop(tracer: object): boolean {
  return /^(?:Noop|Proxy)Tracer$/.test(tracer.constructor.name);
}
