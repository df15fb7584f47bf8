/*
 * The state shared between the async-resource tracer and the rest of the package, which does not
 * depend on it: whether records are being made (code that needs no async resource to keep a context
 * creates one only then, so that it is recorded), which span already represents a resource, and
 * which resources are clew's own.
 */

/** The part of a span that is used here. */
export interface ShowingSpan {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

/** Is called with an async resource and the span that shows it. */
export type OnShown = (asyncId: number, span: ShowingSpan) => void;

const collectors = new Set<{ onShown: OnShown }>();

export function isCollecting(): boolean {
  return collectors.size > 0;
}

/** Marks recording as started. Returns a function that marks it as stopped. */
export function startCollecting(onShown: OnShown = () => undefined): () => void {
  const collector = { onShown };
  collectors.add(collector);
  return () => void collectors.delete(collector);
}

/**
 * Records that a span already represents this async resource, which then needs no span of its own.
 */
export function showInSpan(asyncId: number, span: ShowingSpan): void {
  for (const { onShown } of collectors) onShown(asyncId, span);
}

const spansOfRequests = new WeakMap<object, ShowingSpan>();

/** The same of a request of `node:http`, whose async resource is made later. */
export function showRequestInSpan(request: object, span: ShowingSpan): void {
  if (isCollecting()) spansOfRequests.set(request, span);
}

/** The span that shows what Node makes the async resource of this request for. */
export function spanOfRequest(request: object): ShowingSpan | undefined {
  return spansOfRequests.get(request);
}

/**
 * The base class of the tracer's state in its own `AsyncLocalStorage`. It is not a context of the
 * application: if nothing else is active, no context is.
 */
// oxlint-disable-next-line typescript/no-extraneous-class
export class TracerState {}

const hidden = new WeakSet<object>();

/** Keeps an async resource of ours, which others run in, out of all records. Returns it. */
export function hideFromRecords<Resource extends object>(resource: Resource): Resource {
  hidden.add(resource);
  return resource;
}

export function isHiddenFromRecords(resource: object): boolean {
  return hidden.has(resource);
}

/** Set on classes of clew's own async resources whose names mean nothing to a user. */
export const UNNAMED: unique symbol = Symbol('clew.unnamed');
