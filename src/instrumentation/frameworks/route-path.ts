/*
 * Paths as routers are given them, put together to the whole mounted path of a route.
 */

/** A path as an application writes it. */
export type PathPattern = string | RegExp;

/** The path of a route in what is mounted at `mount`, which is empty where nothing is. */
export function routeIn(mount: string, pattern: PathPattern): string {
  const path = String(pattern);
  if (path === '' || path === '/') return mount === '' ? '/' : mount;
  return mount === '' ? path : `${mount}${path.startsWith('/') ? '' : '/'}${path}`;
}

/** Where something is mounted at `pattern` inside of `mount`; everything is at `/` or `*`. */
export function mountIn(mount: string, pattern: PathPattern): string {
  const path = String(pattern).replace(/\/+$/, '');
  if (path === '' || path === '*' || path === '/*') return mount;
  return `${mount}${mount === '' || path.startsWith('/') ? '' : '/'}${path}`;
}

/** The path of a request's URL: no query, and of an absolute URL no origin. */
export function pathnameOf(url: string): string {
  const end = url.search(/[?#]/);
  const path = end === -1 ? url : url.slice(0, end);
  if (path.startsWith('/')) return path;
  return /^[a-z][a-z\d+.-]*:\/\/[^/]*(\/.*)?$/i.exec(path)?.[1] ?? path;
}
