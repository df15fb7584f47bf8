import type { Attributes } from '@opentelemetry/api';

import type { ServerRequest } from '../../http/server/server-request.ts';

/** What a GraphQL request asks for, as far as it is used. */
export interface ExecutionArgs {
  document?: { definitions?: readonly Definition[] };
  operationName?: string | null;
}

interface Definition {
  kind?: string;
  operation?: string;
  name?: { value?: string };
}

/** Names of OpenTelemetry's conventions for GraphQL servers (1.45, in development), written out. */
const OPERATION_NAME = 'graphql.operation.name';
const OPERATION_TYPE = 'graphql.operation.type';

/** Puts the name and the type of the operation on the span of the request. */
export function showOperation({ span }: ServerRequest, args: ExecutionArgs): void {
  if (!span.isRecording()) return;
  const operations = (args.document?.definitions ?? []).filter(
    ({ kind }) => kind === 'OperationDefinition',
  );
  const named = operations.find(({ name }) => name?.value === args.operationName);
  const operation = named ?? (operations.length === 1 ? operations[0] : undefined);
  if (operation === undefined) return;
  const attributes: Attributes = {};
  if (operation.operation !== undefined) attributes[OPERATION_TYPE] = operation.operation;
  if (operation.name?.value !== undefined) attributes[OPERATION_NAME] = operation.name.value;
  span.setAttributes(attributes);
}

/** Records what resolvers have thrown, which a response has as errors with a status of 200. */
export function recordErrors(request: ServerRequest, result: unknown): void {
  const { errors } = (result ?? {}) as { errors?: unknown };
  if (!Array.isArray(errors)) return;
  for (const error of errors as ({ originalError?: unknown } | null)[]) {
    const original = error?.originalError;
    if (original !== undefined && original !== null) request.recordError(original);
  }
}
