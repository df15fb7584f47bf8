import type { Target } from './target.ts';
import { clewFile } from './targets/clew-file.ts';
import { headers } from './targets/headers.ts';
import { otlpJson } from './targets/otlp-json.ts';
import { otlpProtobuf } from './targets/otlp-protobuf.ts';
import { query } from './targets/query.ts';
import { rules } from './targets/rules.ts';
import { spool } from './targets/spool.ts';
import { sqlText } from './targets/sql-text.ts';
import { viewerFile } from './targets/viewer-file.ts';

/** Every parser that takes input from outside, by the name that `npm run fuzz` knows it by. */
export const TARGETS: Readonly<Record<string, Target>> = {
  'otlp-json': otlpJson,
  'otlp-protobuf': otlpProtobuf,
  'clew-file': clewFile,
  'viewer-file': viewerFile,
  query,
  spool,
  'sql-text': sqlText,
  headers,
  rules,
};
