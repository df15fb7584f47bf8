import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ClewError, messageOf } from '../../base/errors.ts';
import { http } from '../../base/node-http.ts';
import { exportedOf, htmlFile } from '../html-file.ts';
import { JaegerApi } from '../jaeger/api.ts';
import type { ApiError, FileAdded } from '../model.ts';
import type { Viewer } from '../viewer.ts';
import { protect, refusalOf, TOKEN_COOKIE, tokenInUrl } from './guard.ts';
import { Live } from './live.ts';
import { HttpError, readBody } from './read-body.ts';
import { Receiver, type DecodeProtobuf } from './receiver.ts';
import { readStaticFiles, type StaticFile } from './static-files.ts';

export interface ViewerServerOptions {
  viewer: Viewer;
  decodeProtobuf: DecodeProtobuf;
  /** Adds a file that was dropped on the page. */
  addFile?: ((bytes: Buffer) => FileAdded) | undefined;
  /** The folder of the page's files. */
  pageFolder: string;
  /** The folder of a Jaeger UI. */
  jaegerUi?: string | undefined;
  /** Where export requests are handed on to, as the URL of `/v1/traces`. */
  forwardTo?: string | undefined;
  /** Required from each request; needed where the server listens beyond loopback. */
  token?: string | undefined;
}

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * The viewer's HTTP server: the page and its API, Jaeger's query API, and the OTLP receiver. It may
 * listen at several ports, which answer alike.
 */
export class ViewerServer {
  readonly receiver: Receiver;
  readonly #options: ViewerServerOptions;
  readonly #servers: Server[] = [];
  readonly #live: Live;
  readonly #jaeger: JaegerApi;
  readonly #page: ReadonlyMap<string, StaticFile>;
  readonly #jaegerUi: ReadonlyMap<string, StaticFile>;

  constructor(options: ViewerServerOptions) {
    const { viewer, decodeProtobuf, forwardTo, pageFolder, jaegerUi } = options;
    this.#options = options;
    this.receiver = new Receiver({ viewer, decodeProtobuf, forwardTo });
    this.#live = new Live(viewer);
    this.#jaeger = new JaegerApi(viewer);
    this.#page = readStaticFiles(pageFolder);
    this.#jaegerUi = jaegerUi === undefined ? new Map() : readStaticFiles(jaegerUi);
    if (jaegerUi !== undefined && !this.#jaegerUi.has('/index.html')) {
      throw new ClewError('ERR_OPTION', `There is no index.html in \`${jaegerUi}\` (--jaeger-ui).`);
    }
  }

  /**
   * Listens at one more port, 0 for any free one, and returns which. `ERR_PORT_IN_USE` where it is
   * taken.
   */
  async listen(port: number, host = '127.0.0.1'): Promise<number> {
    const server = http.createServer((request, response) => void this.#handle(request, response));
    // A page that listens for events is no idle connection; headers have to come soon.
    server.headersTimeout = 10_000;
    server.requestTimeout = 60_000;
    server.maxConnections = 200;
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      throw new ClewError('ERR_PORT_IN_USE', `Cannot listen at ${host}:${port}: ${code}.`);
    }
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#live.close();
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }),
    );
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    protect(response);
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { status, code } = statusOf(error);
      // What is left of a body that is refused is not read.
      if (status === 413) response.setHeader('connection', 'close');
      answer(response, { error: { code, message: messageOf(error) } }, status);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token } = this.#options;
    const { method = 'GET' } = request;
    const target = request.url ?? '/';
    // A path, and no URL with a host of its own.
    const url = new URL(`http://viewer${target.startsWith('/') ? target : '/'}`);
    const first = tokenInUrl(url, { token });
    if (first !== undefined && method === 'GET') {
      // Out of the address, so that it is not in the history nor in a picture of the screen.
      url.searchParams.delete('token');
      const cookie = `${TOKEN_COOKIE}=${first}; HttpOnly; SameSite=Strict; Path=/`;
      response.writeHead(303, { 'set-cookie': cookie, location: url.pathname + url.search }).end();
      return;
    }
    const refusal = refusalOf(request, { token });
    if (refusal) throw new HttpError(refusal.status, 'ERR_FORBIDDEN', refusal.message);
    const { pathname } = url;
    if (method === 'POST') {
      if (pathname === '/v1/traces') await this.receiver.receive(request, response);
      else if (pathname === '/clew/files') await this.#addFile(request, response);
      else if (pathname.startsWith('/api/')) {
        const body = await readBody(request, MAX_FILE_BYTES);
        const { status, json } = this.#jaeger.post(pathname, body);
        answer(response, json, status);
      } else throw notFound(pathname);
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpError(405, 'ERR_OPTION', `The method ${method} is not allowed.`);
    }
    if (pathname.startsWith('/clew/')) this.#answerPage(url, response);
    else if (pathname.startsWith('/api/')) {
      const { status, json } = this.#jaeger.get(pathname, url.searchParams);
      answer(response, json, status);
    } else this.#answerFile(pathname, response);
  }

  #answerPage({ pathname, searchParams }: URL, response: ServerResponse): void {
    const { viewer } = this.#options;
    const [, , what, id] = pathname.split('/');
    if (what === 'summary') answer(response, viewer.summary());
    else if (what === 'requests') answer(response, viewer.requests(searchParams));
    else if (what === 'pending') answer(response, viewer.pending(searchParams));
    else if (what === 'findings') answer(response, viewer.findings());
    else if (what === 'live') this.#live.join(response);
    else if (what === 'html') {
      const html = htmlFile(this.#page, exportedOf(viewer));
      response.setHeader('content-disposition', 'attachment; filename="clew-traces.html"');
      response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
    } else if (what === 'traces' && id !== undefined) {
      const trace = viewer.trace(id);
      if (!trace)
        throw new HttpError(404, 'ERR_NOT_FOUND', 'There is no such trace, or it was dropped.');
      answer(response, trace);
    } else throw notFound(pathname);
  }

  async #addFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { addFile, viewer } = this.#options;
    if (!addFile) throw new HttpError(403, 'ERR_FORBIDDEN', 'This viewer does not accept files.');
    try {
      answer(response, addFile(await readBody(request, MAX_FILE_BYTES)));
    } catch (error) {
      viewer.refuse(messageOf(error));
      if (error instanceof HttpError) throw error;
      throw new HttpError(400, 'ERR_OPTION', `Cannot read this file: ${messageOf(error)}`);
    }
  }

  #answerFile(path: string, response: ServerResponse): void {
    const own = this.#page.get(path === '/' ? '/index.html' : path);
    const file = own ?? this.#jaegerUi.get(path) ?? this.#jaegerUi.get('/index.html');
    if (!file) {
      if (path !== '/') throw notFound(path);
      throw new HttpError(503, 'ERR_UNAVAILABLE', 'The page is not built: run `npm run build`.');
    }
    if (!own) protect(response, 'jaeger-ui');
    response.setHeader('content-type', file.type).end(file.bytes);
  }
}

function notFound(path: string): HttpError {
  return new HttpError(404, 'ERR_NOT_FOUND', `There is nothing at ${path.slice(0, 200)}`);
}

function statusOf(error: unknown): { status: number; code: string } {
  if (error instanceof HttpError) return error;
  if (error instanceof ClewError) return { status: 400, code: error.code };
  return { status: 500, code: 'ERR_INTERNAL' };
}

function answer(response: ServerResponse, json: object | ApiError, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}
