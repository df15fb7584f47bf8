import type { Attributes, AttributeValue, Exception, Span, SpanContext } from '@opentelemetry/api';

import type { ServerRequest } from '../../http/server/server-request.ts';
import { showRoute } from './show-route.ts';

const spans = new WeakMap<ServerRequest, RequestSpan>();

/**
 * The span of a request as Next.js sees it: what it knows of the request is added, as long as the
 * request is answered. Name, status and end are the server's; so is what the older conventions call
 * `http.*`, among it the target with its query.
 */
export class RequestSpan implements Span {
  readonly #request: ServerRequest;

  private constructor(request: ServerRequest) {
    this.#request = request;
  }

  static of(request: ServerRequest): RequestSpan {
    let span = spans.get(request);
    if (span === undefined) spans.set(request, (span = new RequestSpan(request)));
    return span;
  }

  spanContext(): SpanContext {
    return this.#request.span.spanContext();
  }

  isRecording(): boolean {
    return this.#request.span.isRecording();
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (key === 'http.route') showRoute(this.#request, value);
    else if (key.startsWith('next.') && this.isRecording()) {
      this.#request.span.setAttribute(key, value);
    }
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined) this.setAttribute(key, value);
    }
    return this;
  }

  recordException(exception: Exception): void {
    this.#request.recordError(exception);
  }

  addEvent(...event: Parameters<Span['addEvent']>): this {
    if (this.isRecording()) this.#request.span.addEvent(...event);
    return this;
  }

  addLink(...link: Parameters<Span['addLink']>): this {
    if (this.isRecording()) this.#request.span.addLink(...link);
    return this;
  }

  addLinks(...links: Parameters<Span['addLinks']>): this {
    if (this.isRecording()) this.#request.span.addLinks(...links);
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  end(): void {
    // The request ends when its response is sent.
  }
}
