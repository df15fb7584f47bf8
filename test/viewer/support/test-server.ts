import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeFinding } from '../../../src/cli/view/findings.ts';
import { addBytes } from '../../../src/cli/view/read-file.ts';
import { readRequest } from '../../../src/export/encoding/otlp-json.ts';
import { ViewerServer, type ViewerServerOptions } from '../../../src/viewer/http/server.ts';
import { Viewer } from '../../../src/viewer/viewer.ts';
import { otlp, type TestSpan } from './spans.ts';

export const JSON_TYPE = { 'content-type': 'application/json' };

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A viewer's server at a free port, with a page of two files. */
export class TestServer {
  readonly viewer: Viewer;
  readonly server: ViewerServer;
  readonly port: number;
  readonly #folder: string;

  private constructor(viewer: Viewer, server: ViewerServer, port: number, folder: string) {
    this.viewer = viewer;
    this.server = server;
    this.port = port;
    this.#folder = folder;
  }

  static async start(options: Partial<ViewerServerOptions> = {}): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), 'clew-page-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(folder, 'page.js'), 'export {};');
    const source = { kind: 'live' as const, name: '' };
    const viewer = new Viewer({ source, version: '0', describeFinding });
    const server = new ViewerServer({
      viewer,
      decodeProtobuf: readRequest,
      addFile: (bytes) => addBytes(viewer, bytes),
      pageFolder: folder,
      ...options,
    });
    return new TestServer(viewer, server, await server.listen(0), folder);
  }

  async ask(path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
    const asked = httpRequest({ host: '127.0.0.1', port: this.port, path, method, headers });
    asked.end(body);
    const [response] = await once(asked, 'response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.statusCode, headers: response.headers, text, json };
  }

  /** Sends spans as an application does. */
  send(...spans: TestSpan[]): Promise<Answer> {
    const body = JSON.stringify(otlp(...spans));
    return this.ask('/v1/traces', { method: 'POST', headers: JSON_TYPE, body });
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(this.#folder, { recursive: true });
  }
}
