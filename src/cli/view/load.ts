import { existsSync } from 'node:fs';

import { ClewError, messageOf, optionError } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { FindingList, RequestList, Summary } from '../../viewer/model.ts';
import type { TraceView } from '../../viewer/trace-model.ts';
import { readOtlp } from '../../viewer/otlp.ts';
import type { TraceSource, Viewer } from '../../viewer/viewer.ts';
import { probeViewer } from './collector.ts';
import { runningViewers, type KnownViewer } from './running-viewers.ts';
import { OTLP_PORT, PAGE_PORT, viewerOfFiles } from './start.ts';

/*
 * Where `clew show`, `clew export` and `clew mcp` find traces: in files, or in a viewer that runs.
 */

const ANSWER_MILLIS = 30_000;
export const DEFAULT_ORIGINS: readonly string[] = [
  `http://127.0.0.1:${PAGE_PORT}`,
  `http://127.0.0.1:${OTLP_PORT}`,
];

/** The files' traces; without a file those of the viewer at `origin`, or of the usual ones. */
export async function sourceOf(
  files: readonly string[],
  origin: string | undefined,
): Promise<TraceSource> {
  if (files.length > 0) {
    for (const file of files) {
      if (!existsSync(file)) throw new ClewError('ERR_OPTION', `There is no file \`${file}\`.`);
    }
    return viewerOfFiles(files);
  }
  return RemoteViewer.find(origin);
}

/** How many traces, as it is typed; `ERR_OPTION` for what is no such number. */
export function limitOf(text: string): string {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000) return text;
  throw optionError('--limit', 'a whole number from 1 to 1000', text);
}

/** A viewer in another process, by its HTTP API. */
export class RemoteViewer implements TraceSource {
  readonly #origin: string;
  readonly #token: string | undefined;

  private constructor(origin: string, token: string | undefined) {
    this.#origin = origin;
    this.#token = token;
  }

  /**
   * `ERR_OPTION` where none answers. The token comes from the address, else it is `given`, else
   * `CLEW_VIEW_TOKEN`.
   */
  static async find(address: string | undefined, given?: string): Promise<RemoteViewer> {
    if (address !== undefined && !URL.canParse(address)) {
      throw new ClewError(
        'ERR_OPTION',
        'Expected `--from` to be a URL such as http://127.0.0.1:16686.',
      );
    }
    const url = address === undefined ? undefined : new URL(address);
    const fallback = given ?? (process.env['CLEW_VIEW_TOKEN'] || undefined);
    const token = url?.searchParams.get('token') ?? fallback;
    const known = runningViewers();
    for (const origin of url ? [url.origin] : originsOf(known)) {
      const found = await probeViewer(origin, token);
      if (!found) continue;
      // It may be another one than the person thinks of.
      const held = `${found.traces} ${found.traces === 1 ? 'trace' : 'traces'}`;
      const whose = url ? '' : whoseIs(origin, known);
      sayOnce(
        'info',
        `viewer:${origin}`,
        `reading the viewer at ${origin} (${describe(found)}, ${held})${whose}`,
      );
      return new RemoteViewer(origin, token);
    }
    const tried = url ? [url.origin] : DEFAULT_ORIGINS;
    const message = `No viewer answers at ${tried.join(' or ')}.`;
    throw new ClewError('ERR_OPTION', `${message} Name a file, or start one: clew view --live`);
  }

  async summary(): Promise<Summary> {
    return (await this.#get('/clew/summary')) as Summary;
  }

  async requests(query: URLSearchParams): Promise<RequestList> {
    return (await this.#get(`/clew/requests?${query.toString()}`)) as RequestList;
  }

  async trace(traceId: string): Promise<TraceView | undefined> {
    return (await this.#get(`/clew/traces/${encodeURIComponent(traceId)}`)) as
      TraceView | undefined;
  }

  async findings(): Promise<FindingList> {
    return (await this.#get('/clew/findings')) as FindingList;
  }

  /** The one self-contained page, as the viewer's own button saves it. */
  async html(): Promise<string> {
    return (await this.#get('/clew/html', (response) => response.text())) as string;
  }

  /** Puts traces into a viewer of this process, as they were sent. */
  async copyTo(viewer: Viewer, traceIds: readonly string[]): Promise<void> {
    for (const traceId of traceIds) {
      const answer = (await this.#get(`/api/v3/traces/${traceId}?raw_traces=true`)) as {
        result?: unknown;
      };
      if (answer?.result) viewer.add(readOtlp(answer.result));
    }
  }

  async #get(
    path: string,
    read: (response: Response) => Promise<unknown> = (response) => response.json(),
  ): Promise<unknown> {
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    let answer: unknown;
    let status: number;
    try {
      const signal = AbortSignal.timeout(ANSWER_MILLIS);
      const response = await fetch(this.#origin + path, { headers, signal });
      ({ status } = response);
      answer = await (status === 200 ? read(response) : response.json());
    } catch (error) {
      const message = `The viewer at ${this.#origin} does not answer: ${messageOf(error)}`;
      throw new ClewError('ERR_OPTION', message, { cause: error });
    }
    if (status === 404) return undefined;
    if (status === 200) return answer;
    const { error } = (answer ?? {}) as { error?: { message?: string } };
    throw new ClewError('ERR_OPTION', error?.message ?? `The viewer answers HTTP ${status}.`);
  }
}

/** A viewer of this folder, else the one at a usual port, else another one of this user. */
function originsOf(known: readonly KnownViewer[]): Set<string> {
  const here = known.filter(({ isHere }) => isHere);
  return new Set([
    ...here.map(({ origin }) => origin),
    ...DEFAULT_ORIGINS,
    ...known.map(({ origin }) => origin),
  ]);
}

/** Tells of a viewer that was not started in this folder where it is from. */
function whoseIs(origin: string, known: readonly KnownViewer[]): string {
  const one = known.find((viewer) => viewer.origin === origin || viewer.otlpUrl === origin);
  if (one?.isHere) return '';
  const where = one ? `started in ${one.folder}` : 'of another user or a container';
  return `, ${where}; --from URL reads another one`;
}

function describe({ source: { kind, name }, services }: Summary): string {
  if (kind === 'file') return name;
  const names = services.map((service) => service.name);
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return names.length > 0 ? names.slice(0, 3).join(', ') + more : 'live';
}

/**
 * The id in full, of which the first digits were given as `option`. `ERR_OPTION`: none or several.
 */
export async function fullTraceId(
  source: TraceSource,
  start: string,
  option = '--trace',
): Promise<string> {
  if (/^[0-9a-f]{32}$/i.test(start)) return start.toLowerCase();
  if (!/^[0-9a-f]{4,31}$/i.test(start)) {
    throw new ClewError(
      'ERR_OPTION',
      `Expected \`${option}\` to be the first 4 to 32 digits of a trace id.`,
    );
  }
  const { requests } = await source.requests(new URLSearchParams({ limit: '1000' }));
  const found = requests.filter(({ traceId }) => traceId.startsWith(start.toLowerCase()));
  if (found.length === 1) return found[0]?.traceId ?? '';
  const message = found.length === 0 ? 'No trace begins with' : `${found.length} traces begin with`;
  throw new ClewError('ERR_OPTION', `${message} ${start}.`);
}
