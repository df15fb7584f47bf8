import { basename } from 'node:path';

import { SpanKind } from '@opentelemetry/api';

import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';

/* What the clients of SQLite have in common. */

const SYSTEM = 'sqlite';
const NAMELESS = createEndpoint({ system: SYSTEM });
const endpoints = new WeakMap<object, Endpoint>();

/** Returns the database behind `db`, named after its file; databases in memory have no name. */
export function endpointOf(db: object | undefined, file: () => unknown): Endpoint {
  if (db === undefined) return NAMELESS;
  const known = endpoints.get(db);
  if (known) return known;
  const name = file();
  const namespace = typeof name === 'string' && !name.startsWith(':') ? basename(name) : undefined;
  const endpoint = namespace ? createEndpoint({ system: SYSTEM, namespace }) : NAMELESS;
  endpoints.set(db, endpoint);
  return endpoint;
}

export function describeStatement(
  endpoint: Endpoint,
  text: unknown,
  values?: unknown,
  kind: SpanKind = SpanKind.INTERNAL,
): Operation {
  return {
    endpoint,
    kind,
    text: typeof text === 'string' ? text : undefined,
    dialect: SYSTEM,
    values,
  };
}

/**
 * Returns the values in the arguments of a call: a list, an object with names, or the arguments.
 */
export function valuesOf(args: readonly unknown[]): unknown {
  const [first] = args;
  const isContainer =
    Array.isArray(first) || (isObject(first) && Object.getPrototypeOf(first) === Object.prototype);
  return args.length === 1 && isContainer ? first : args;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

interface SqliteError {
  /** `SQLITE_CONSTRAINT_UNIQUE`, or Node's own code. */
  code?: unknown;
  /** The number, for Node's own client. */
  errcode?: unknown;
  message?: unknown;
}

/** Returns an error's result code, extended if the client reports it, or its class. */
export function describeError(error: unknown): Failure {
  if (!isObject(error)) return byClass(error);
  const { code, errcode, message } = error as SqliteError;
  const statusCode =
    typeof errcode === 'number'
      ? String(errcode)
      : typeof code === 'string' && code.startsWith('SQLITE_')
        ? code
        : undefined;
  if (statusCode === undefined) return byClass(error);
  const isOwn = typeof message === 'string' && !isRaised(message, statusCode);
  return { type: statusCode, statusCode, message: isOwn ? message : statusCode };
}

/** Whether a trigger raised it, whose message comes from the application. */
function isRaised(message: string, statusCode: string): boolean {
  const isConstraint =
    statusCode.startsWith('SQLITE_CONSTRAINT') || Number(statusCode) % 256 === 19;
  return isConstraint && !/\w+ constraint failed\b/.test(message);
}

export function countRows(result: unknown): number | undefined {
  return Array.isArray(result) ? result.length : undefined;
}
