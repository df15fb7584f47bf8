import {
  isServerFault,
  methodOfCall,
  RPC_METHOD,
  RPC_METHOD_ORIGINAL,
  RPC_RESPONSE_STATUS_CODE,
  RPC_SYSTEM_NAME,
  statusOfCall,
} from '../../http/grpc.ts';
import { ABORTED_BY_CLIENT, type ResponseEnd } from '../../http/server/response-end.ts';
import type { ProtocolAbove, ProtocolEnd } from '../../http/server/server-request.ts';

/** The call of a method that the server has. */
export function callOf(path: string): ProtocolAbove {
  const method = methodOfCall(path);
  return {
    spanName: method,
    attributes: { [RPC_SYSTEM_NAME]: 'grpc', [RPC_METHOD]: method },
    readEnd,
  };
}

/** The call of one that it has not: what a client asks for may be anything, and names no span. */
export function unknownCallOf(path: string): ProtocolAbove {
  return {
    spanName: 'grpc',
    attributes: {
      [RPC_SYSTEM_NAME]: 'grpc',
      [RPC_METHOD]: '_OTHER',
      [RPC_METHOD_ORIGINAL]: methodOfCall(path),
    },
    readEnd,
  };
}

function readEnd(end: ResponseEnd): ProtocolEnd {
  const answered = statusOfCall(end.trailer?.('grpc-status'));
  // A client that cancels, or whose deadline has passed, waits for no status.
  const isCancelled = answered === undefined && end.failure === ABORTED_BY_CLIENT;
  const status = isCancelled ? 'CANCELLED' : answered;
  const attributes = status === undefined ? {} : { [RPC_RESPONSE_STATUS_CODE]: status };
  if (status === undefined) return { attributes, failure: end.failure };
  return { attributes, failure: isServerFault(status) ? status : undefined };
}
