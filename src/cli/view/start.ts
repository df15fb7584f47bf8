import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ClewError, optionError } from '../../base/errors.ts';
import { packageFolder } from '../../base/own-files.ts';
import { readRequest } from '../../export/encoding/otlp-json.ts';
import { VERSION } from '../../instrumentation/version.ts';
import { ViewerServer } from '../../viewer/http/server.ts';
import { Viewer } from '../../viewer/viewer.ts';
import { awaitCollector } from './collector.ts';
import { describeFinding } from './findings.ts';
import { addBytes, addFile } from './read-file.ts';
import { announceViewer } from './running-viewers.ts';

/** The folder of the page's files, which the build makes. */
export const pageFolder: string = fileURLToPath(packageFolder('build/package/view-page/'));

/** Ports that people know: Jaeger's page, and OTLP over HTTP. */
export const PAGE_PORT = 16_686 as const;
export const OTLP_PORT = 4318;

export interface ViewOptions {
  /** What is shown: files, else what arrives. */
  files: readonly string[];
  /** Of the page; undefined: 16686, or any free one. */
  port?: number | undefined;
  /** Where OTLP is received, where there is no file; undefined: 4318, or any free one. */
  otlpPort?: number | undefined;
  host?: string | undefined;
  token?: string | undefined;
  jaegerUi?: string | undefined;
  /** The URL of `/v1/traces` that spans are handed on to. */
  forwardTo?: string | undefined;
  /** Where a collector may appear later, as such a URL; spans are handed on to it from then on. */
  awaited?: string | undefined;
  /** Called when it has appeared. */
  onCollector?: ((tracesUrl: string) => void) | undefined;
}

/** A viewer that serves its page. */
export interface RunningViewer {
  viewer: Viewer;
  server: ViewerServer;
  /** The page's address, with the token where there is one. */
  pageUrl: string;
  /** The page's usual port is another program's; absent: it was free, or another one was asked for. */
  taken?: typeof PAGE_PORT;
  /** Where applications send OTLP to, without `/v1/traces`; absent with files. */
  otlpUrl?: string;
  stop(): Promise<void>;
}

/** A viewer that holds these files. */
export function viewerOfFiles(files: readonly string[]): Viewer {
  const name = files.map((file) => basename(file)).join(', ');
  const viewer = newViewer({ kind: 'file', name });
  for (const file of files) addFile(viewer, file);
  return viewer;
}

function newViewer(source: { kind: 'live' | 'file'; name: string }, forwardTo?: string): Viewer {
  const viewer = new Viewer({ source, version: VERSION, describeFinding });
  if (forwardTo !== undefined) viewer.forwardTo(new URL(forwardTo).origin);
  return viewer;
}

/** Starts the servers of a viewer: the page's, and the receiver's where there is no file. */
export async function startViewer(options: ViewOptions): Promise<RunningViewer> {
  const { files, forwardTo, jaegerUi, host = '127.0.0.1' } = options;
  const token = tokenFor(host, options.token);
  if (jaegerUi !== undefined && !existsSync(jaegerUi)) {
    throw new ClewError('ERR_OPTION', `There is no folder \`${jaegerUi}\` (--jaeger-ui).`);
  }
  const isLive = files.length === 0;
  const source = { kind: 'live' as const, name: '' };
  const viewer = isLive ? newViewer(source, forwardTo) : viewerOfFiles(files);
  const server = new ViewerServer({
    viewer,
    decodeProtobuf: readRequest,
    addFile: (bytes) => addBytes(viewer, bytes),
    pageFolder,
    jaegerUi,
    forwardTo,
    token,
  });
  try {
    const port = await listen(server, options.port, PAGE_PORT, host);
    const shown = isWildcard(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
    const origin = `http://${shown}:${port}`;
    const undos: (() => void)[] = [];
    const stop = (): Promise<void> => {
      for (const undo of undos) undo();
      return server.close();
    };
    const pageUrl = token === undefined ? `${origin}/` : `${origin}/?token=${token}`;
    const taken = options.port === undefined && port !== PAGE_PORT ? { taken: PAGE_PORT } : {};
    if (!isLive) {
      undos.push(announceViewer(origin));
      return { viewer, server, pageUrl, ...taken, stop };
    }
    const otlpPort = await listen(server, options.otlpPort, OTLP_PORT, host);
    const otlpUrl = `http://${shown}:${otlpPort}`;
    source.name = otlpUrl;
    undos.push(announceViewer(origin, otlpUrl));
    const { awaited, onCollector } = options;
    const isElsewhere = awaited !== undefined && new URL(awaited).port !== String(otlpPort);
    if (forwardTo === undefined && isElsewhere) {
      const unwatch = awaitCollector(awaited, () => {
        server.receiver.forwardTo = awaited;
        viewer.forwardTo(new URL(awaited).origin);
        onCollector?.(awaited);
      });
      undos.push(unwatch);
    }
    return { viewer, server, pageUrl, otlpUrl, ...taken, stop };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The port that was asked for; else the usual one, or any where that is taken. */
async function listen(
  server: ViewerServer,
  asked: number | undefined,
  usual: number,
  host: string,
): Promise<number> {
  if (asked !== undefined) return server.listen(asked, host);
  try {
    return await server.listen(usual, host);
  } catch (error) {
    if (!(error instanceof ClewError)) throw error;
    return server.listen(0, host);
  }
}

/** Beyond loopback everybody in the network can ask: nothing is answered without the token. */
function tokenFor(host: string, token: string | undefined): string | undefined {
  if (token !== undefined && !/^[\w.~-]{16,200}$/.test(token)) {
    // The value is a secret: it is not shown.
    const message = 'Expected `--token` to be 16 to 200 letters, digits, `.`, `_`, `~` or `-`.';
    throw new ClewError('ERR_OPTION', message);
  }
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host);
  return token ?? (isLoopback ? undefined : randomBytes(24).toString('base64url'));
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A port as it is typed; `ERR_OPTION` for what is none. */
export function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw optionError(option, 'a whole number from 0 to 65535', text);
}
