import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { ownerOf, patchHotMethod, type Undo } from '../../base/patch.ts';
import type { ContextOrigins, Origin } from './context-origins.ts';
import type { SpanSink, SpanSource } from './span-event.ts';

interface DatadogSpan {
  context(): object & { toTraceId?(asHex?: boolean): string; _isRemote?: boolean };
}
interface Scope {
  active?(): DatadogSpan | null | undefined;
  activate?(span: DatadogSpan | null, act: () => unknown): unknown;
}
interface Datadog {
  scope?(): Scope;
}
interface Started {
  span: DatadogSpan;
  fields?: {
    operationName?: string;
    parent?: (object & { _isRemote?: boolean }) | null;
    tags?: Record<string, unknown>;
    integrationName?: string;
  };
}

/**
 * Observes the spans of `dd-trace`, which has its own contexts, through its public scope and its
 * channels. Activations by its own instrumentations cannot be observed: the start of the span is
 * used in their place.
 */
export class DatadogSpans implements SpanSource {
  readonly #contexts: ContextOrigins | undefined;
  readonly #origins = new WeakMap<object, Origin>();
  #sink: SpanSink | undefined;
  #undo: Undo | undefined;

  constructor(origins: ContextOrigins | undefined) {
    this.#contexts = origins;
  }

  start(sink: SpanSink): void {
    this.#sink = sink;
    subscribe('dd-trace:span:start', this.#onStart);
    subscribe('dd-trace:span:finish', this.#onFinish);
  }

  stop(): void {
    unsubscribe('dd-trace:span:start', this.#onStart);
    unsubscribe('dd-trace:span:finish', this.#onFinish);
    this.#undo?.();
    this.#undo = undefined;
    this.#sink = undefined;
  }

  origin(): Origin | undefined {
    const key = this.active();
    return key && this.#origins.get(key);
  }

  active(): object | undefined {
    try {
      return scope()?.active?.()?.context();
    } catch {
      return undefined;
    }
  }

  readonly #onStart = (message: unknown): void => {
    try {
      const { span, fields = {} } = message as Started;
      const kind = fields.tags?.['span.kind'];
      const key = span.context();
      const parent = fields.parent ?? undefined;
      this.#undo ??= this.#patchScope();
      this.#note(key, 'started', this.#onStart);
      this.#sink?.started({
        key,
        parent,
        isRemote: parent?._isRemote === true,
        isRoot: false,
        isEntry: kind === 'server' || kind === 'consumer' || fields.operationName === 'web.request',
        name: fields.operationName ?? 'span',
        scope: `dd-trace/${fields.integrationName ?? ''}`,
        traceId: key.toTraceId?.(true),
      });
    } catch {
      // Must not throw into the application.
    }
  };

  #note(key: object, how: Origin['how'], below: (...args: never[]) => unknown): void {
    const origin = this.#contexts?.here(key, how, below);
    if (origin) this.#origins.set(key, origin);
  }

  #patchScope(): Undo | undefined {
    if (!this.#contexts) return undefined;
    const owner = ownerOf(scope(), 'activate') as Required<Scope> | undefined;
    const note = (span: DatadogSpan | null, below: () => unknown): void => {
      try {
        if (span) this.#note(span.context(), 'activated', below);
      } catch {
        // dd-trace itself rejects a value that is not one of its spans.
      }
    };
    return (
      owner &&
      patchHotMethod(owner, 'activate', (original, patch) => {
        return function activate(this: Scope, ...args) {
          if (!patch.isUndone) note(args[0], activate as () => unknown);
          return original.apply(this as Required<Scope>, args);
        };
      })
    );
  }

  readonly #onFinish = (message: unknown): void => {
    try {
      this.#sink?.ended((message as DatadogSpan).context());
    } catch {
      // Must not throw into the application.
    }
  };
}

function scope(): Scope | undefined {
  return (globalThis as { _ddtrace?: Datadog })._ddtrace?.scope?.();
}
