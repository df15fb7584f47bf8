import type { ServerRequest } from '../../http/server/server-request.ts';

/** The pages that answer where there is no route, or after it failed. */
const ERROR_PAGES = new Set(['/404', '/500', '/_error', '/_not-found', '/_not-found/page']);

/** Gives `request` the route that Next.js found for it. */
export function showRoute(request: ServerRequest, route: unknown): void {
  if (typeof route === 'string' && !ERROR_PAGES.has(route)) request.setRoute(route);
}
