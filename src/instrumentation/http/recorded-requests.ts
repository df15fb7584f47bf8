import { trace, type Context, type Span } from '@opentelemetry/api';

import type { Undo } from '../../base/patch.ts';

/*
 * Outgoing requests whose spans a framework has made by itself: another span would be a second one.
 */

/** The request that `span` is the record of; undefined where it is of something else. */
export type ReadRequest = (span: Span) => { method: unknown; url: unknown } | undefined;

/** Asked for each outgoing request, so there is none before a framework that has some is loaded. */
let readRequest: ReadRequest | undefined;

/** From now on spans that `read` knows are those of their requests; returns the undo. */
export function readRecordedRequests(read: ReadRequest): Undo {
  readRequest = read;
  return () => {
    if (readRequest === read) readRequest = undefined;
  };
}

/** What two observers of one request agree on. */
interface Target {
  readonly method: string;
  /** The host of the URL without brackets. */
  readonly host: string | undefined;
  /** The path and the query. */
  readonly path: string;
}

/** Whether the active span of `active` is the one of the request that is sent. */
export function isRecordedRequest(active: Context, sent: Target): boolean {
  if (readRequest === undefined) return false;
  const span = trace.getSpan(active);
  const { method, url } = (span && readRequest(span)) ?? {};
  if (typeof method !== 'string' || method.toUpperCase() !== sent.method.toUpperCase())
    return false;
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { hostname, pathname, search } = new URL(url);
  return sent.host === hostname.replace(/^\[|\]$/g, '') && sent.path === pathname + search;
}
