/*
 * What the async-resource tracer and the rest of the package, which knows nothing of it, have to tell
 * each other: whether records are being made, for what needs no resource of its own to keep a context
 * makes one only then, to be seen; which span shows a resource already; and which resources are ours
 * alone.
 */

/** A span, as far as it is known here. */
export interface ShowingSpan {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

/** Is called with an async resource and the span that shows it. */
export type OnShown = (asyncId: number, span: ShowingSpan) => void;

const collectors = new Set<{ onShown: OnShown }>();

export function isCollecting(): boolean {
  return collectors.size > 0;
}

/** Says that records are made from now on; returns how to say that they no longer are. */
export function startCollecting(onShown: OnShown = () => undefined): () => void {
  const collector = { onShown };
  collectors.add(collector);
  return () => void collectors.delete(collector);
}

/** Says that a span shows this async resource, which then needs none of its own. */
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
 * The base of what the tracer keeps in an `AsyncLocalStorage` of its own. It is no context of the
 * application: where nothing else is active, no context is.
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

/** On classes of async resources of ours, whose name tells a person nothing. */
export const UNNAMED: unique symbol = Symbol('clew.unnamed');
