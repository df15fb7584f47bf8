import assert from 'node:assert/strict';

import fc from 'fast-check';

import { JaegerApi } from '../../../src/viewer/jaeger/api.ts';
import { readOtlp } from '../../../src/viewer/otlp.ts';
import { damagedText } from '../damage.ts';
import { OTLP_REQUESTS } from '../samples.ts';
import { asWellFormedJson, parsed, type Target } from '../target.ts';
import { newViewer } from '../viewed.ts';

const viewer = newViewer();
for (const request of OTLP_REQUESTS) viewer.add(readOtlp(request));
const jaeger = new JaegerApi(viewer);

const TOKENS = ['&', '=', '%', '%ff', '+', '-1', '1e400', 'NaN', '__proto__', '/', '..', 'h', 'ns'];
const queries = damagedText(
  [
    'service=shop&operation=GET&attribute=http.route%3D/orders&minDuration=1&maxDuration=9&limit=5',
    'q=orders&error=true&from=0&to=1e15&sort=slowest&before=2&outside=false',
    'from=0&to=1790000000000&buckets=20',
    'service=shop&start=1&end=1790000000000000&minDuration=1.5ms&tags=%7B%22a%22:%22b%22%7D&tag=a:b',
    'query.service_name=shop&query.start_time_min=2026-01-01T00:00:00Z&query.start_time_max=2026-12-01T00:00:00.5Z&query.duration_min=1s',
  ],
  TOKENS,
);
const paths = damagedText(
  [
    '/api/services',
    '/api/services/shop/operations',
    '/api/operations',
    '/api/traces',
    `/api/traces/${'0'.repeat(30)}f0`,
    '/api/dependencies',
    '/api/v3/services',
    '/api/v3/operations',
    '/api/v3/traces',
    `/api/v3/traces/${'0'.repeat(30)}f0`,
  ],
  TOKENS,
);

/** The parameters of the page's requests and of Jaeger's API. */
export const query: Target<[string, string]> = {
  input: fc.tuple(paths, queries),
  check([path, text]) {
    const parameters = new URLSearchParams(text);
    for (const ask of [() => viewer.requests(parameters), () => viewer.pending(parameters)]) {
      const answer = parsed<object>(ask);
      if (answer) asWellFormedJson(answer);
    }
    const { status, json } = jaeger.get(path, parameters);
    assert.ok(status === 200 || (status >= 400 && status <= 501), String(status));
    asWellFormedJson(json);
  },
};
