import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { damagedJson, damagedText } from '../damage.ts';
import { postOtlp } from '../post-otlp.ts';
import { OTLP_REQUESTS } from '../samples.ts';
import type { Target } from '../target.ts';

/** OTLP/JSON over HTTP into the viewer, plain and packed; at times the headers are damaged. */
export const otlpJson: Target<[string, boolean, Record<string, string>]> = {
  input: fc.tuple(
    damagedJson(OTLP_REQUESTS),
    fc.boolean(),
    fc.record(
      {
        'content-type': damagedText(['application/json', 'application/json; charset=utf-8']),
        'content-encoding': damagedText(['gzip', 'identity', 'br']),
        'content-length': damagedText(['12', '99999999999']),
      },
      { requiredKeys: [] },
    ),
  ),
  async check([text, packed, damaged]) {
    const encoding = packed ? { 'content-encoding': 'gzip' } : {};
    const body = packed ? gzipSync(text, { level: 1 }) : Buffer.from(text);
    await postOtlp(body, { 'content-type': 'application/json', ...encoding });
    if (Object.keys(damaged).length > 0) {
      await postOtlp(body, { 'content-type': 'application/json', ...encoding, ...damaged });
    }
  },
};
