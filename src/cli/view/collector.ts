import { messageOf } from '../../base/errors.ts';
import type { Summary } from '../../viewer/model.ts';

const PROBE_MILLIS = 2000;
/** The reason where the time was up. */
export const NO_ANSWER: string = `no answer in ${PROBE_MILLIS / 1000} s`;
/** How long until one looks again whether a collector has appeared. */
const LOOK_AGAIN_MILLIS = 2000;

/** Whether OTLP/HTTP answers at `tracesUrl`; if not, why, in a few words. */
export async function probeCollector(
  tracesUrl: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const ends = [AbortSignal.timeout(PROBE_MILLIS), ...(signal ? [signal] : [])];
  try {
    const response = await fetch(tracesUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.any(ends),
    });
    await response.arrayBuffer();
    return response.ok ? undefined : `it answers with HTTP ${response.status}`;
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return NO_ANSWER;
    const cause = (error as { cause?: unknown }).cause ?? error;
    const { code } = cause as { code?: unknown };
    return typeof code === 'string' ? code : messageOf(cause);
  }
}

/**
 * Calls `found` once, when something that is no viewer of ours answers OTLP at `tracesUrl`; returns what
 * ends the wait. It keeps no process alive.
 */
export function awaitCollector(tracesUrl: string, found: () => void): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  const look = async (): Promise<void> => {
    const reason = await probeCollector(tracesUrl, signal);
    if (reason === undefined && (await probeViewer(new URL(tracesUrl).origin)) === undefined) {
      if (!signal.aborted) found();
      return;
    }
    if (!signal.aborted) timer = setTimeout(() => void look(), LOOK_AGAIN_MILLIS).unref();
  };
  let timer = setTimeout(() => void look(), LOOK_AGAIN_MILLIS).unref();
  return () => {
    ended.abort();
    clearTimeout(timer);
  };
}

/** What a viewer of ours at this origin holds; undefined: none is there. */
export async function probeViewer(origin: string, token?: string): Promise<Summary | undefined> {
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(PROBE_MILLIS);
    const response = await fetch(`${origin}/clew/summary`, { headers, signal });
    const summary = (await response.json()) as Partial<Summary>;
    return summary.contract === 1 ? (summary as Summary) : undefined;
  } catch {
    return undefined;
  }
}

/** A sentence about a collector that has appeared. */
export function appeared(tracesUrl: string): string {
  return `a collector now answers at ${new URL(tracesUrl).origin}: spans go there, too`;
}

/** A sentence about the usual port of the page, where another program has it. */
export async function describeTaken({
  pageUrl,
  taken,
}: {
  pageUrl: string;
  taken?: number;
}): Promise<string | undefined> {
  if (taken === undefined) return undefined;
  const other = await probeViewer(`http://127.0.0.1:${taken}`);
  if (!other) return `port ${taken} is used by another program: the page uses a free one.`;
  return `port ${taken} is used by another viewer. To read this one: clew show --from ${pageUrl}`;
}
