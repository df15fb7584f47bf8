import { SpanKind } from '@opentelemetry/api';

import type { Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { PGlite, TemplatePiece } from './library-types.ts';

const SYSTEM = 'postgresql';
const endpoints = new WeakMap<PGlite, Endpoint>();
const UNKNOWN_ENDPOINT = createEndpoint({ system: SYSTEM });

/** A database in this process: its name is its only address. */
export function endpointOf(db: PGlite): Endpoint {
  if (!db.ready) return UNKNOWN_ENDPOINT;
  const known = endpoints.get(db);
  if (known) return known;
  const endpoint = createEndpoint({ system: SYSTEM, namespace: db.Module?.ENV?.PGDATABASE });
  endpoints.set(db, endpoint);
  return endpoint;
}

export function describeQuery(endpoint: Endpoint, text: unknown, values?: unknown): Operation {
  return {
    endpoint,
    kind: SpanKind.INTERNAL,
    text: typeof text === 'string' ? text : undefined,
    dialect: SYSTEM,
    values,
  };
}

/** Returns the statement of a template, as the package will build it. */
export function readTemplate(
  strings: readonly string[],
  values: readonly unknown[],
): { text: string; values: unknown[] } {
  const read = { text: '', values: [] as unknown[] };
  appendTemplate(read, strings, values);
  return read;
}

function appendTemplate(
  read: { text: string; values: unknown[] },
  strings: readonly string[],
  values: readonly unknown[],
): void {
  for (const [index, string] of strings.entries()) {
    read.text += string;
    if (index >= values.length) continue;
    const value = values[index];
    const piece = value as TemplatePiece | null | undefined;
    if (piece?._templateType === 'part') read.text += piece.str;
    else if (piece?._templateType === 'container') {
      appendTemplate(read, piece.strings ?? [], piece.values ?? []);
    } else {
      read.values.push(value);
      read.text += `$${read.values.length}`;
    }
  }
}

/** Returns the number of rows of one result, or of all results of a multi-statement. */
export function countRows(result: unknown): number | undefined {
  if (Array.isArray(result)) {
    return result.reduce<number>((sum, one) => sum + (countRows(one) ?? 0), 0);
  }
  const { rows } = (result ?? {}) as { rows?: unknown };
  return Array.isArray(rows) ? rows.length : undefined;
}
