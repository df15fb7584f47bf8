import type {
  ApiError,
  FileAdded,
  FindingView,
  LiveEvents,
  PendingView,
  RequestList,
  Summary,
} from '../../viewer/model.ts';
import type { Exported, TraceView } from '../../viewer/trace-model.ts';
import { EmbeddedSource } from './embedded-source.ts';
import type { LiveListener, Query, Source } from './source-types.ts';

export function findSource(): Source {
  const embedded = document.getElementById('clew-data');
  return embedded
    ? new EmbeddedSource(JSON.parse(embedded.textContent ?? '') as Exported)
    : new ServerSource();
}

class ServerSource implements Source {
  readonly html = './clew/html';

  summary(): Promise<Summary> {
    return get('summary');
  }

  requests({ attributes, ...query }: Query): Promise<RequestList> {
    const parameters = new URLSearchParams(query);
    for (const attribute of attributes) parameters.append('attribute', attribute);
    return get(`requests?${parameters}`);
  }

  trace(traceId: string): Promise<TraceView> {
    return get(`traces/${encodeURIComponent(traceId)}`);
  }

  pending(part: readonly [number, number] | undefined): Promise<PendingView> {
    const within = part ? `&from=${Math.floor(part[0])}&to=${Math.ceil(part[1])}` : '';
    return get(`pending?buckets=240${within}`);
  }

  async findings(): Promise<FindingView[]> {
    return (await get<LiveEvents['findings']>('findings')).findings;
  }

  listen(listener: LiveListener): void {
    const events = new EventSource('./clew/live');
    events.addEventListener('open', () => listener.connected(true));
    // The browser connects again by itself, unless it was refused.
    events.addEventListener('error', () => listener.connected(false));
    for (const name of ['summary', 'requests', 'findings'] as const) {
      events.addEventListener(name, ({ data }: MessageEvent<string>) =>
        listener.event(name, JSON.parse(data) as LiveEvents[typeof name]),
      );
    }
  }

  addFile(file: File): Promise<FileAdded> {
    return get('files', {
      method: 'POST',
      body: file,
      headers: { 'content-type': 'application/octet-stream' },
    });
  }
}

async function get<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`./clew/${path}`, init);
  } catch (error) {
    throw new Error('The viewer does not answer. Is its process still running?', { cause: error });
  }
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => undefined)) as ApiError | undefined;
  throw new Error(body?.error?.message ?? `The viewer answered ${response.status}.`);
}
