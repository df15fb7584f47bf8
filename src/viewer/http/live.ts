import type { ServerResponse } from 'node:http';

import type { LiveEvents } from '../model.ts';
import type { Trace } from '../store.ts';
import type { Viewer } from '../viewer.ts';
import { HttpError } from './read-body.ts';

/*
 * Server-sent events: what changed, at most four times a second, to the pages that listen. A page
 * that does not read is let go, so that nothing piles up for it.
 */

const EVERY_MILLIS = 250;
const HEARTBEAT_MILLIS = 15_000;
const MAX_CLIENTS = 32;
const MAX_ROWS = 200;
const MAX_BEHIND_BYTES = 8 * 1024 * 1024;

export class Live {
  readonly #viewer: Viewer;
  readonly #clients = new Set<ServerResponse>();
  readonly #undo: () => void;
  #changed = new Set<Trace>();
  #findings = false;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(viewer: Viewer) {
    this.#viewer = viewer;
    this.#undo = viewer.onChange(({ traces, findings }) => {
      if (this.#clients.size === 0) return;
      for (const trace of traces) {
        this.#changed.delete(trace);
        this.#changed.add(trace);
      }
      this.#findings ||= findings;
      this.#timer ??= setTimeout(() => this.#flush(), EVERY_MILLIS).unref();
    });
  }

  /** Answers with events until the page goes away. */
  join(response: ServerResponse): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      throw new HttpError(503, 'ERR_UNAVAILABLE', `${MAX_CLIENTS} pages listen already.`);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#clients.add(response);
    response.once('close', () => this.#leave(response));
    response.on('error', () => this.#leave(response));
    this.#heartbeat ??= setInterval(() => this.#write(':\n\n'), HEARTBEAT_MILLIS).unref();
    response.write(event('summary', this.#viewer.summary()));
  }

  close(): void {
    this.#undo();
    clearTimeout(this.#timer);
    for (const client of this.#clients) client.end();
    clearInterval(this.#heartbeat);
  }

  #leave(client: ServerResponse): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    const viewer = this.#viewer;
    const present = [...this.#changed].filter((trace) => viewer.store.get(trace.traceId) === trace);
    this.#changed = new Set();
    let text = event('summary', viewer.summary());
    if (present.length > 0) {
      const requests = present.slice(-MAX_ROWS).map((trace) => viewer.row(trace));
      text += event('requests', { requests });
    }
    if (this.#findings) text += event('findings', viewer.findings());
    this.#findings = false;
    this.#write(text);
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BEHIND_BYTES) client.destroy();
      else client.write(text);
    }
  }
}

function event<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
