import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';

import { headerValues, type CapturedHeader } from '../captured-headers.ts';
import type { ShownMethod } from '../known-methods.ts';
import type { OutgoingRequest } from './outgoing-request.ts';

/** Of the conventions' part that is still in development. */
export const ATTR_URL_TEMPLATE = 'url.template';

/** Those that the conventions put on `http.client.request.duration`. */
const MEASURED = [
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_TEMPLATE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_ERROR_TYPE,
] as const;

/** All that is known of a request when it starts, which is what a sampler sees. */
export function attributesOf(
  request: OutgoingRequest,
  shown: ShownMethod,
  template: string | undefined,
  resends: number,
): Attributes {
  const attributes: Attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: shown.method,
    [ATTR_URL_FULL]: request.url,
  };
  if (request.host !== undefined) attributes[ATTR_SERVER_ADDRESS] = request.host;
  if (request.port !== undefined) attributes[ATTR_SERVER_PORT] = request.port;
  if (shown.original !== undefined) {
    attributes[ATTR_HTTP_REQUEST_METHOD_ORIGINAL] = shown.original;
  }
  if (template !== undefined) attributes[ATTR_URL_TEMPLATE] = template;
  if (resends > 0) attributes[ATTR_HTTP_REQUEST_RESEND_COUNT] = resends;
  return attributes;
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

/** Adds those of `captured` that `read` finds. */
export function addHeaders(
  attributes: Attributes,
  captured: readonly CapturedHeader[],
  read: (name: string) => unknown,
): void {
  for (const { name, attribute } of captured) {
    const values = headerValues(read(name));
    if (values !== undefined) attributes[attribute] = values;
  }
}
