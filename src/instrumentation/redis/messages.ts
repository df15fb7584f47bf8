import { types } from 'node:util';

import {
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

import { runOutsideTrace } from '../../carry/root-context.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ClientConfig, ReceivedMessage } from '../client-config.ts';
import { byClass } from '../operation.ts';
import { addExceptionEvent } from '../recorder/exception-event.ts';
import type { Endpoint } from '../recorder/endpoint.ts';
import type { Recorder } from '../recorder/recorder.ts';
import { isSuppressed } from '../../carry/suppression.ts';
import { SYSTEM } from './attributes.ts';
import { isSettingUp } from './setup.ts';

/* Of the messaging conventions, which are still in development. `redis` is none of their systems. */
const ATTR_SYSTEM_NAME = 'messaging.system.name';
const ATTR_OPERATION_NAME = 'messaging.operation.name';
const ATTR_OPERATION_TYPE = 'messaging.operation.type';
const ATTR_DESTINATION_NAME = 'messaging.destination.name';
const ATTR_DESTINATION_TEMPLATE = 'messaging.destination.template';
const PROCESS = 'process';

const ENDPOINT_ATTRIBUTES = [
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
];

type Listener = (this: unknown, ...args: unknown[]) => unknown;

/** A message on its way to a listener. */
export interface Delivery extends ReceivedMessage {
  readonly endpoint: Endpoint;
}

/**
 * `listener` with a CONSUMER span around each of its calls, while the configuration says how the
 * publishers of messages are known. The active context is to be that of its registration.
 */
export function consuming(
  listener: Listener,
  recorder: Recorder,
  describe: (thisArg: unknown, args: unknown[]) => Delivery,
): Listener {
  // A client listens, too: a cluster passes messages on, and sentinels tell of their servers.
  if (isSettingUp()) return listener;
  // Its promise is new with each call and nobody else's, so another may stand in for it. One that
  // others hold must be left alone: watching it would make a rejection of theirs handled, or ours.
  const isAsync = types.isAsyncFunction(listener);
  return function consumer(...args) {
    const span = startSpan(recorder, () => describe(this, args));
    if (span === undefined) return listener.apply(this, args);
    const run = (): unknown => listener.apply(this, args);
    let result: unknown;
    try {
      result = context.with(trace.setSpan(context.active(), span), run);
    } catch (error) {
      fail(span, error);
      throw error;
    }
    if (isAsync) return ending(span, result as Promise<unknown>);
    span.end();
    return result;
  };
}

async function ending(span: Span, promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    fail(span, error);
    throw error;
  }
  span.end();
  return result;
}

/** What the listener says of the error may quote the message. */
function fail(span: Span, error: unknown): void {
  span.setAttribute(ATTR_ERROR_TYPE, byClass(error).type);
  addExceptionEvent(span, error);
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function startSpan(recorder: Recorder, describe: () => Delivery): Span | undefined {
  const { publisherContext } = recorder.config;
  const { tracer } = recorder.providers;
  const parent = context.active();
  if (!publisherContext || tracer === undefined || isSuppressed(parent)) return undefined;
  try {
    const { endpoint, ...message } = describe();
    const { channel, pattern } = message;
    const attributes: Attributes = {
      [ATTR_SYSTEM_NAME]: SYSTEM,
      [ATTR_OPERATION_NAME]: PROCESS,
      [ATTR_OPERATION_TYPE]: PROCESS,
      [ATTR_DESTINATION_NAME]: channel,
    };
    if (pattern !== undefined) attributes[ATTR_DESTINATION_TEMPLATE] = pattern;
    for (const key of ENDPOINT_ATTRIBUTES) {
      const value = endpoint.attributes[key];
      if (value !== undefined) attributes[key] = value;
    }
    const links = linksTo(publisherContext, message);
    const name = `${PROCESS} ${pattern ?? channel}`;
    return tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links }, parent);
  } catch (error) {
    // A sampler or a processor that throws must not keep the message from its listener.
    sayOnce('error', `record:${messageOf(error)}`, `cannot record: ${messageOf(error)}`);
    return undefined;
  }
}

function linksTo(
  publisherContext: NonNullable<ClientConfig['publisherContext']>,
  message: ReceivedMessage,
): Link[] {
  try {
    // In the root context, from which a propagator extracts what is in the message and no more.
    const found = runOutsideTrace(publisherContext, undefined, message);
    const spanContext = found && isContext(found) ? trace.getSpanContext(found) : found;
    return spanContext && isSpanContextValid(spanContext) ? [{ context: spanContext }] : [];
  } catch (error) {
    // The error's text is left out: that of a parser quotes the message.
    sayOnce(
      'error',
      'publisherContext',
      `your publisherContext threw (${byClass(error).type}): the span of the message has no link.`,
    );
    return [];
  }
}

function isContext(found: Context | SpanContext): found is Context {
  return typeof (found as Partial<Context>).getValue === 'function';
}
