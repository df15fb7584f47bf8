import { sayOnce } from '../../base/log.ts';

/*
 * gRPC as it is seen by HTTP/2: which requests are calls, what their status is, and the names of
 * OpenTelemetry's conventions for RPC (1.45), written out.
 */

export const RPC_SYSTEM_NAME = 'rpc.system.name';
export const RPC_METHOD = 'rpc.method';
export const RPC_METHOD_ORIGINAL = 'rpc.method_original';
export const RPC_RESPONSE_STATUS_CODE = 'rpc.response.status_code';

/** The status codes by their numbers. */
const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Those that are the fault of a server; the others are answers to what the client asked for. */
const SERVER_FAULTS = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** Whether OpenTelemetry's own instrumentation has replaced the methods of `@grpc/grpc-js`. */
let isOfficial: () => boolean = () => false;

/** Asks `look` from now on, once the library is loaded. */
export function lookForOfficialCalls(look: () => boolean): void {
  isOfficial = look;
}

/** Whether calls are left to OpenTelemetry's own instrumentation, which makes their spans on both sides. */
export function areCallsLeft(): boolean {
  if (!isOfficial()) return false;
  const message = 'spans of grpc are created by your @opentelemetry/instrumentation-grpc.';
  sayOnce('debug', 'brought:grpc', message);
  return true;
}

/** The name of a `grpc-status`; undefined where there is none. */
export function statusOfCall(header: unknown): string | undefined {
  if (typeof header !== 'string' && typeof header !== 'number') return undefined;
  return CODES[Number(header)] ?? String(header);
}

/** Whether a server that answers with this status has failed. */
export function isServerFault(status: string): boolean {
  return SERVER_FAULTS.has(status);
}

/** Whether a request with this content type is a call, and not one of gRPC-Web. */
export function isCall(contentType: unknown): boolean {
  return typeof contentType === 'string' && /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

/** `package.Service/Method` of the path of a call. */
export function methodOfCall(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}
