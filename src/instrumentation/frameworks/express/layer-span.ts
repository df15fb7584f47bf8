import type { ServerResponse } from 'node:http';

import type { HandlerSpan } from '../../http/server/handler-span.ts';
import { onwardsOf, runCallback } from '../watched-handler.ts';
import type { Next, RoutedMessage } from './library-types.ts';

/** A call of a layer's handler that has a span. */
export interface LayerCall {
  readonly span: HandlerSpan;
  readonly request: RoutedMessage;
  readonly response: ServerResponse;
  readonly next: Next;
  /** What an error handler was called with. */
  readonly given?: unknown;
}

/**
 * Runs a layer's handler in its span, which it leaves by its `next` or by `request.next`, now or later.
 * The latter is the router's own function again as soon as it has left.
 */
export function runLayer(call: LayerCall, run: (next: Next) => unknown): unknown {
  const { span, request, response, next, given } = call;
  const { next: ofRouter } = request;
  if (typeof ofRouter !== 'function') return runCallback(span, run, next, response, given);
  const leaving = (target: Next): Next => {
    return function (this: unknown, ...args) {
      if (request.next === replacement) request.next = ofRouter;
      return target.apply(this, args);
    };
  };
  const replacement = onwardsOf(span, leaving(ofRouter), given);
  request.next = replacement;
  return runCallback(span, run, leaving(next), response, given);
}
