/*
 * What a request is called wherever it is printed: by its span, as in `GET /users/:id`, and where
 * that has no route by its method and its path, whose variable parts are shortened.
 */

/** What a span without such an attribute may be called. */
const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY)$/;

/** The name of the span, unless that is no more than a method; `attribute` reads the span's. */
export function requestName(name: string, attribute: (key: string) => unknown): string {
  const method =
    attribute('http.request.method') ?? attribute('http.method') ?? METHOD.exec(name)?.[0];
  if (typeof method !== 'string' || !isMethod(name, method)) return name;
  const route = attribute('http.route');
  if (typeof route === 'string' && route !== '') return `${method} ${route}`;
  const path = attribute('url.path') ?? attribute('http.target');
  if (typeof path !== 'string') return name;
  const original = attribute('http.request.method_original');
  if (method !== '_OTHER') return unroutedName(method, path);
  return unroutedName(typeof original === 'string' ? original : name, path);
}

/** What a request without a route is called: `GET /orders/{n}`. */
export function unroutedName(method: string, url: string): string {
  return `${method} ${templateOf(url)}`;
}

/** The path without its query, each segment that looks like a value replaced by `{n}`. */
export function templateOf(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '').split(/[?#]/, 1)[0] ?? '/';
  return path
    .split('/')
    .slice(0, 12)
    .map((segment) => (isValue(segment) ? '{n}' : segment))
    .join('/')
    .slice(0, 120);
}

/** Before its stable version the convention named spans `HTTP GET`. */
function isMethod(name: string, method: string): boolean {
  return name === method || name === 'HTTP' || name === `HTTP ${method}`;
}

function isValue(segment: string): boolean {
  return /\d/.test(segment)
    ? !/^v\d{1,2}$/.test(segment)
    : segment.length > 24 || /[%@=:;,~]/.test(segment);
}
