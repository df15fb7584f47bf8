import type { ClientRequest } from 'node:http';

import { propagation, type Context, type TextMapSetter } from '@opentelemetry/api';

import { guard } from '../guard.ts';

/*
 * Puts the trace headers on a request, each once: one that the application set itself, or that came
 * with the headers of an incoming request, is replaced. The application's own objects are not written to.
 */

/** Puts the headers of `context` where `set` puts them. */
export function injectTrace(context: Context, set: (name: string, value: string) => void): void {
  guard('send the trace', () => propagation.inject(context, set, CALL));
}

const CALL: TextMapSetter<(name: string, value: string) => void> = {
  set: (set, name, value) => set(name, value),
};

/** What of a request is not public: the text of its headers, where that is made early. */
interface Internals {
  _header: string | null;
  _headerSent: boolean;
  outputSize: number;
  outputData: { data: unknown }[];
}

/**
 * Sets a header of a request that was not sent yet. Where headers were given as an array, or with
 * `Expect`, Node has made their text already; then the text is changed while it waits for a connection.
 */
export function setRequestHeader(request: ClientRequest, name: string, value: string): void {
  const internals = request as unknown as Internals;
  const text = internals._header;
  if (!text) {
    request.setHeader(name, value);
    return;
  }
  if (typeof text !== 'string' || !text.endsWith('\r\n\r\n')) return;
  const changed = withHeader(text, name, value);
  if (internals._headerSent) {
    const [first] = internals.outputData;
    if (typeof first?.data !== 'string' || !first.data.startsWith(text)) return;
    first.data = changed + first.data.slice(text.length);
    internals.outputSize += changed.length - text.length;
  }
  internals._header = changed;
}

/** The text of headers with one more, or in place of those of the same name. */
function withHeader(text: string, name: string, value: string): string {
  const [first, ...lines] = text.slice(0, -4).split('\r\n');
  const prefix = `${name.toLowerCase()}:`;
  const others = lines.filter((line) => !line.toLowerCase().startsWith(prefix));
  return `${[first, ...others, `${name}: ${value}`].join('\r\n')}\r\n\r\n`;
}
