import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';

import { claim, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';

/** What is used of a loader, as far as all supported versions have it. */
interface Loader {
  readonly name?: string | null;
  /** The keys that wait to be loaded together. */
  readonly _batch: { readonly keys: readonly unknown[] } | null;
  /** The application's function, which loads a batch. */
  _batchLoadFn: LoadBatch;
  load(key: unknown): Promise<unknown>;
}

type LoadBatch = (this: unknown, keys: readonly unknown[]) => unknown;

/*
 * Who asked for the keys of a batch: the contexts with a span, one for each span. An entry is
 * written by `load` under the batch's own list of keys, and lives as long as that. A key that is
 * cached, or in the batch already, is not asked for again and links to nothing.
 */
const callers = new WeakMap<readonly unknown[], Map<string, Context>>();
const observed = new WeakSet<Loader>();

export function patchLoader(
  { prototype }: { prototype: Loader },
  recorder: Recorder,
): Undo | undefined {
  const release = claim(prototype, 'dataloader');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'load', (original) => {
      return function load(key) {
        const before = this._batch;
        const count = before?.keys.length ?? 0;
        const result = original.call(this, key);
        const batch = this._batch;
        if (batch && (batch !== before || batch.keys.length > count) && batch.keys.length > 0) {
          observe(this, recorder);
          asked(batch.keys, context.active());
        }
        return result;
      };
    }),
  ]);
}

function asked(keys: readonly unknown[], caller: Context): void {
  const spanContext = trace.getSpanContext(caller);
  if (!spanContext) return;
  const known = callers.get(keys) ?? new Map<string, Context>();
  callers.set(keys, known);
  const id = `${spanContext.traceId} ${spanContext.spanId}`;
  if (!known.has(id)) known.set(id, caller);
}

/** Sees the batches of `loader`, which calls its function by this property. */
function observe(loader: Loader, recorder: Recorder): void {
  if (observed.has(loader)) return;
  observed.add(loader);
  const loadBatch = loader._batchLoadFn;
  loader._batchLoadFn = function (this: unknown, keys) {
    const asking = [...(callers.get(keys)?.values() ?? [])];
    const tracer = recorder.providers.tracer;
    if (!tracer || asking.length === 0 || !recorder.config.enabled)
      return loadBatch.call(this, keys);
    // With one caller the batch is a part of what that one does. With several it is no one's part:
    // it is linked to all of them, and whatever is in the context of one is kept from the others.
    const [first = ROOT_CONTEXT] = asking;
    const parent = asking.length === 1 ? first : ROOT_CONTEXT;
    const span = tracer.startSpan(
      `batch ${loader.name ?? 'dataloader'}`,
      {
        kind: SpanKind.INTERNAL,
        links: asking.map((caller) => ({ context: trace.getSpanContext(caller)! })),
        attributes: { 'clew.batch.size': keys.length },
      },
      parent,
    );
    return context.with(trace.setSpan(parent, span), () =>
      settling(span, () => loadBatch.call(this, keys)),
    );
  };
}

function settling(span: Span, load: () => unknown): unknown {
  let result: unknown;
  try {
    result = load();
  } catch (error) {
    end(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  return result.then(
    (values: unknown) => {
      end(span);
      return values;
    },
    (error: unknown) => {
      end(span, error);
      throw error;
    },
  );
}

function end(span: Span, error?: unknown): void {
  if (error !== undefined) {
    span.setAttribute('error.type', byName(error)).setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function byName(error: unknown): string {
  return error instanceof Error ? error.constructor.name : '_OTHER';
}
