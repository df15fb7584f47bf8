import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_BATCH_SIZE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_QUERY_TEXT,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_STORED_PROCEDURE_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_CONSUMER_GROUP_NAME,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM,
  ATTR_MESSAGING_SYSTEM_NAME,
} from '@opentelemetry/semantic-conventions/incubating';

import type { ResolvedConfig } from '../client-config.ts';
import type { MessageExchange, Operation } from '../operation.ts';
import { batchSummary, describeSql } from '../sql/sql-text.ts';
import { addLegacyNames } from './legacy-names.ts';

/** Those that the conventions put on `db.client.operation.duration`. */
const MEASURED = [
  ATTR_DB_SYSTEM_NAME,
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_STORED_PROCEDURE_NAME,
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
];

/** `db.query.parameter.<key>`, of the conventions' part that is still in development. */
const PARAMETER_PREFIX = 'db.query.parameter.';

/** All that is known of an operation when it starts, which is what a sampler sees. */
export function attributesOf(operation: Operation, config: ResolvedConfig): Attributes {
  const attributes: Attributes = { ...operation.endpoint.attributes };
  if (operation.name) attributes[ATTR_DB_OPERATION_NAME] = operation.name;
  if (operation.collection) attributes[ATTR_DB_COLLECTION_NAME] = operation.collection;
  if (operation.storedProcedure) {
    attributes[ATTR_DB_STORED_PROCEDURE_NAME] = operation.storedProcedure;
  }
  if (isBatch(operation)) {
    attributes[ATTR_DB_OPERATION_BATCH_SIZE] = operation.batchSize!;
  }
  if (operation.summary) attributes[ATTR_DB_QUERY_SUMMARY] = operation.summary;
  if (operation.safeText !== undefined) setText(attributes, operation.safeText, config);
  else if (operation.text !== undefined) addText(attributes, operation, operation.text, config);
  if (operation.messaging) addMessaging(attributes, operation.messaging, operation.endpoint.system);
  if (config.parameters.length > 0 && !attributes[ATTR_DB_OPERATION_BATCH_SIZE]) {
    addParameters(attributes, operation.values, config.parameters);
  }
  if (config.legacyAttributes) addLegacyNames(attributes);
  return attributes;
}

function addMessaging(
  attributes: Attributes,
  { type, name, destination, consumerGroup, count }: MessageExchange,
  system: string,
): void {
  attributes[ATTR_MESSAGING_SYSTEM_NAME] = system;
  attributes[ATTR_MESSAGING_SYSTEM] = system;
  attributes[ATTR_MESSAGING_OPERATION_NAME] = name;
  attributes[ATTR_MESSAGING_OPERATION_TYPE] = type;
  if (destination) attributes[ATTR_MESSAGING_DESTINATION_NAME] = destination;
  if (consumerGroup) attributes[ATTR_MESSAGING_CONSUMER_GROUP_NAME] = consumerGroup;
  if (count !== undefined) attributes[ATTR_MESSAGING_BATCH_MESSAGE_COUNT] = count;
}

/** One operation is no batch. */
function isBatch({ batchSize }: Operation): boolean {
  return batchSize !== undefined && batchSize !== 1;
}

function addText(
  attributes: Attributes,
  operation: Operation,
  written: string,
  config: ResolvedConfig,
): void {
  const parameterised = hasValues(operation.values);
  const described = operation.dialect && describeSql(written, operation.dialect, { parameterised });
  const { sanitizeText } = config;
  const text = sanitizeText && !parameterised ? sanitizeText(written, operation) : described?.text;
  if (text !== undefined) setText(attributes, text, config);
  if (!operation.summary && described?.summary) {
    attributes[ATTR_DB_QUERY_SUMMARY] = isBatch(operation)
      ? batchSummary([described.summary])
      : described.summary;
  }
  if (!operation.storedProcedure && described?.storedProcedure) {
    attributes[ATTR_DB_STORED_PROCEDURE_NAME] = described.storedProcedure;
  }
}

function setText(attributes: Attributes, text: string, { maxTextLength }: ResolvedConfig): void {
  if (maxTextLength === 0) return;
  attributes[ATTR_DB_QUERY_TEXT] =
    text.length > maxTextLength ? text.slice(0, maxTextLength) : text;
}

function hasValues(values: unknown): boolean {
  if (Array.isArray(values)) return values.length > 0;
  return typeof values === 'object' && values !== null && Object.keys(values).length > 0;
}

function addParameters(
  attributes: Attributes,
  values: unknown,
  allowed: readonly (string | number)[],
): void {
  if (typeof values !== 'object' || values === null) return;
  for (const key of allowed) {
    const value = Object.getOwnPropertyDescriptor(values, key)?.value as unknown;
    if (value !== undefined) attributes[`${PARAMETER_PREFIX}${key}`] = parameterText(value);
  }
}

function parameterText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** What is done with messages; else the summary; else the operation and its target; else the target; else the system. */
export function spanNameOf(operation: Operation, attributes: Attributes): string {
  const { messaging } = operation;
  if (messaging) {
    return messaging.destination ? `${messaging.name} ${messaging.destination}` : messaging.name;
  }
  const summary = attributes[ATTR_DB_QUERY_SUMMARY];
  if (typeof summary === 'string') return summary;
  const { endpoint } = operation;
  const target =
    operation.collection ??
    operation.storedProcedure ??
    endpoint.namespace ??
    (endpoint.address && `${endpoint.address}${endpoint.port ? `:${endpoint.port}` : ''}`);
  if (operation.name) return target ? `${operation.name} ${target}` : operation.name;
  return target ?? endpoint.system;
}

/** The attributes of a measurement: those of the span that the metric may have. */
export function measuredAttributes(attributes: Attributes): Attributes {
  const measured: Attributes = {};
  for (const key of MEASURED) {
    const value = attributes[key];
    if (value !== undefined) measured[key] = value;
  }
  return measured;
}
