import type { ServerRequest } from '../../http/server/server-request.ts';
import { showRoute } from './show-route.ts';

/**
 * What Next.js 14 keeps of a request for its span, among it the route once that is found. It makes
 * such a map only where no span is active, and warns of one that belongs to another type of span.
 */
export class RootAttributes extends Map<string, unknown> {
  readonly #request: ServerRequest;

  constructor(request: ServerRequest, type: string) {
    super([['next.span_type', type]]);
    this.#request = request;
  }

  override set(key: string, value: unknown): this {
    // The file of a route handler is part of what it calls the route.
    if (key === 'next.route') showRoute(this.#request, String(value).replace(/\/route$/, ''));
    return super.set(key, value);
  }
}
