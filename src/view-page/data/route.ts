import { computed, signal } from '@preact/signals';

/*
 * Where the reader is, in the part of the address after `#`: it can be sent, and the browser's Back
 * leads back.
 *
 *   #/?q=error&from=...&to=...&min=...&max=...&sort=slowest&outside=true
 *   #/trace/<id>?view=threads&span=<id>
 *   #/findings
 */

export type TraceTab = 'waterfall' | 'threads' | 'compare';

/** Part of the time, and of the durations, that was picked in a chart. */
export interface Brush {
  fromMs: number;
  toMs: number;
  minMs?: number;
  maxMs?: number;
}

export type Route =
  | {
      page: 'list';
      search: string;
      brush?: Brush;
      sort: 'newest' | 'slowest';
      /** Operations outside of any request are listed, too. */
      outside?: boolean;
    }
  | { page: 'trace'; traceId: string; tab: TraceTab; spanId?: string }
  | { page: 'findings' };

export const route = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));

/** The list as it was when it was last left: what is returned to. */
let lastList: Route = { page: 'list', search: '', sort: 'newest' };

/** What the list asks for, wherever the reader is. */
export const list = computed(() => {
  if (route.value.page === 'list') lastList = route.value;
  return lastList as Extract<Route, { page: 'list' }>;
});

/** Goes there. `replace` leaves no step in the browser's history: for what changes by every key. */
export function go(to: Route, { replace = false } = {}): void {
  const hash = routeHash(to);
  history[replace ? 'replaceState' : 'pushState'](undefined, '', hash);
  route.value = to;
}

export function goToList(): void {
  go(list.peek());
}

interface ListChange {
  search?: string;
  brush?: Brush | undefined;
  sort?: 'newest' | 'slowest';
  outside?: boolean;
}

/** Changes what the list shows; a brush that is `undefined` goes. */
export function narrowList(change: ListChange): void {
  const { brush, ...rest } = { ...list.peek(), ...change };
  go({ ...rest, ...(brush && { brush }) }, { replace: true });
}

export function routeHash(to: Route): string {
  const parameters = new URLSearchParams();
  const set = (name: string, value: string | number | undefined) => {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  };
  let path = '/';
  if (to.page === 'list') {
    set('q', to.search);
    set('from', to.brush?.fromMs);
    set('to', to.brush?.toMs);
    set('min', to.brush?.minMs);
    set('max', to.brush?.maxMs);
    if (to.sort !== 'newest') set('sort', to.sort);
    if (to.outside) set('outside', 'true');
  } else if (to.page === 'trace') {
    path = `/trace/${encodeURIComponent(to.traceId)}`;
    if (to.tab !== 'waterfall') set('view', to.tab);
    set('span', to.spanId);
  } else {
    path = `/${to.page}`;
  }
  const query = parameters.toString();
  return `#${path}${query && `?${query}`}`;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const parameters = new URLSearchParams(query);
  const traceId = /^\/trace\/([0-9a-f]+)$/i.exec(path)?.[1];
  if (traceId !== undefined) {
    const tab = parameters.get('view');
    const spanId = parameters.get('span');
    return {
      page: 'trace',
      traceId,
      tab: tab === 'threads' || tab === 'compare' ? tab : 'waterfall',
      ...(spanId !== null && { spanId }),
    };
  }
  if (path === '/findings') return { page: 'findings' };
  const brush = parseBrush(parameters);
  return {
    page: 'list',
    search: parameters.get('q') ?? '',
    sort: parameters.get('sort') === 'slowest' ? 'slowest' : 'newest',
    ...(parameters.get('outside') === 'true' && { outside: true }),
    ...(brush && { brush }),
  };
}

function parseBrush(parameters: URLSearchParams): Brush | undefined {
  const [fromMs, toMs, minMs, maxMs] = ['from', 'to', 'min', 'max'].map((name) => {
    const value = parameters.get(name);
    return value !== null && Number.isFinite(Number(value)) ? Number(value) : undefined;
  });
  if (fromMs === undefined || toMs === undefined) return undefined;
  return {
    fromMs,
    toMs,
    ...(minMs !== undefined && { minMs }),
    ...(maxMs !== undefined && { maxMs }),
  };
}
