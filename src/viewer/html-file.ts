import { createHash } from 'node:crypto';

import type { Exported } from './trace-model.ts';
import type { StaticFile } from './http/static-files.ts';
import type { Viewer } from './viewer.ts';

/*
 * The one HTML file: the page with its script, its styles and the data inside. It asks for nothing,
 * and its policy lets nothing run but that script.
 */

/** A file that a browser opens at once. */
const MAX_TRACES = 500;
const MAX_BYTES = 48 * 1024 * 1024;

/**
 * All that the viewer holds, or of these traces, the newest first, as far as a file may hold them.
 */
export function exportedOf(viewer: Viewer, only?: ReadonlySet<string>): Exported {
  const all = viewer.requests(new URLSearchParams({ limit: '1000' })).requests;
  const requests = only ? all.filter(({ traceId }) => only.has(traceId)) : all;
  const traces: Exported['traces'] = [];
  let bytes = 0;
  for (const { traceId } of requests.slice(0, MAX_TRACES)) {
    const trace = viewer.trace(traceId);
    if (!trace) continue;
    bytes += JSON.stringify(trace).length;
    if (bytes > MAX_BYTES && traces.length > 0) break;
    traces.push(trace);
  }
  const summary = viewer.summary();
  return {
    contract: 1,
    summary,
    requests: requests.slice(0, traces.length),
    traces,
    pending: viewer.pending(),
    findings: viewer.findings().findings,
    omitted: (only?.size ?? summary.traces) - traces.length,
  };
}

/**
 * Puts the page's files and data into one file. `page` has `/index.html`, which names its script and
 * its styles by `<script type="module" src="...">` and `<link rel="stylesheet" href="...">`.
 */
export function htmlFile(page: ReadonlyMap<string, StaticFile>, data: Exported): string {
  const index = page.get('/index.html');
  if (!index) throw new RangeError('the page is not built: run `npm run build`');
  const hashes = { script: new Set<string>(), style: new Set<string>() };
  const textOf = (path: string): string => {
    const file = page.get(`/${path.replace(/^\.?\//, '')}`);
    if (!file) throw new RangeError(`the page refers to ${path}, which does not exist`);
    return file.bytes.toString('utf8');
  };
  const html = index.bytes
    .toString('utf8')
    .replace(/<script\b[^>]*\bsrc="([^"]+)"[^>]*><\/script>/g, (_, path: string) => {
      const text = asScript(textOf(path));
      hashes.script.add(hash(text));
      return `<script type="module">${text}</script>`;
    })
    .replace(/<link\b[^>]*\brel="stylesheet"[^>]*>/g, (tag) => {
      const path = /\bhref="([^"]+)"/.exec(tag)?.[1] ?? '';
      const text = textOf(path).replace(/<\/(?=style)/gi, '<\\/');
      hashes.style.add(hash(text));
      return `<style>${text}</style>`;
    })
    .replace(/<link\b[^>]*\brel="(?:icon|modulepreload|preload)"[^>]*>/g, '');
  const sources = (kind: 'script' | 'style'): string => [...hashes[kind]].join(' ') || "'none'";
  const policy =
    `default-src 'none'; script-src ${sources('script')}; style-src ${sources('style')}; ` +
    `img-src data:; base-uri 'none'; form-action 'none'`;
  const head =
    `<meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<script type="application/json" id="clew-data">${asJson(data)}</script>`;
  const at = /<head[^>]*>/i.exec(html);
  const place = at ? at.index + at[0].length : 0;
  // Sliced and not replaced: `$&` in the data would be a pattern there.
  return html.slice(0, place) + head + html.slice(place);
}

/** The data in such a file. */
export function dataIn(html: string): Exported {
  const json = /<script type="application\/json" id="clew-data">([^<]*)<\/script>/.exec(html)?.[1];
  if (json === undefined) throw new RangeError('there is no data in the page');
  return JSON.parse(json) as Exported;
}

/** JSON that cannot end the element it stands in, nor begin a comment there. */
export function asJson(data: unknown): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function asScript(text: string): string {
  return text
    .replace(/\n?\/\/# sourceMappingURL=.*$/gm, '')
    .replace(/<\/(?=script)/gi, '<\\/')
    .replace(/<!--/g, '<\\!--');
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
