import {
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type HrTime,
  type Link,
  type Span,
} from '@opentelemetry/api';
import {
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_QUERY_TEXT,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_ERROR_TYPE,
} from '@opentelemetry/semantic-conventions';

import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_MESSAGE_ID,
} from '@opentelemetry/semantic-conventions/incubating';

import { showInSpan } from '../../async/collecting.ts';
import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { ResolvedConfig } from '../client-config.ts';
import type { Operation, Responses, Statement } from '../operation.ts';
import { scrubMessage } from '../sql/scrub-message.ts';
import { attributesOf, measuredAttributes, spanNameOf } from './attributes.ts';
import type { Endpoint } from './endpoint.ts';
import { addExceptionEvent } from './exception-event.ts';
import { addLegacyNames } from './legacy-names.ts';
import type { Providers } from './providers.ts';
import { withComment } from './sql-commenter.ts';

/** `db.response.returned_rows`, of the conventions' part that is still in development. */
const ATTR_RETURNED_ROWS = 'db.response.returned_rows';

/** Of this package: the conventions have no attribute for it. */
const ATTR_POOL_WAIT = 'clew.pool.wait.ms';

/** What a recording needs of the recorder that made it. */
interface Source {
  readonly config: ResolvedConfig;
  readonly providers: Providers;
  readonly responses: Responses;
}

/** One operation being recorded: a span, a duration, or both. Ends once. */
export class OperationRecording {
  readonly #source: Source;
  /** The recorder's may be replaced while this is under way. */
  readonly #config: ResolvedConfig;
  readonly #operation: Operation;
  readonly #attributes: Attributes;
  readonly #parent: Context;
  #span: Span | undefined;
  readonly #duration: Histogram | undefined;
  readonly #startedAt: number;
  #ended = false;
  /**
   * Starts the span of a wait for messages that has no parent, once there are some. @internal
   */
  startLater: ((links: Link[]) => Span | undefined) | undefined;

  constructor(
    source: Source,
    operation: Operation,
    attributes: Attributes,
    parent: Context,
    span: Span | undefined,
    duration: Histogram | undefined,
  ) {
    this.#source = source;
    this.#config = source.config;
    this.#operation = operation;
    this.#attributes = attributes;
    this.#parent = parent;
    this.#span = span;
    this.#duration = duration;
    const { askedAt } = operation;
    const earlier = askedAt === undefined ? 0 : performance.now() - askedAt;
    // A span that is recorded measures by itself.
    const isTimed = duration !== undefined && !hasDuration(span);
    this.#startedAt = isTimed ? performance.now() - earlier : 0;
  }

  /** Tells the application that the span is there. @internal */
  started(): void {
    const { requestHook } = this.#config;
    const span = this.#span;
    if (requestHook && span?.isRecording()) guard(() => requestHook(span, this.#operation));
  }

  /** Whether anybody keeps what `add` adds. */
  get isRecording(): boolean {
    return this.#span?.isRecording() === true;
  }

  /** Whether the statement was known at the start. */
  get hasText(): boolean {
    return this.#operation.text !== undefined;
  }

  /** The statement as it is recorded, else what tells of it without values. */
  get description(): string | undefined {
    const { [ATTR_DB_QUERY_TEXT]: text, [ATTR_DB_QUERY_SUMMARY]: summary } = this.#attributes;
    return (text ?? summary) as string | undefined;
  }

  /** Says that the span shows this async resource. */
  shows(asyncId: number): void {
    if (this.#span?.isRecording()) showInSpan(asyncId, this.#span);
  }

  /** Adds what became known after the start. */
  add(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
    this.#span?.setAttributes(attributes);
  }

  /** Says how long the operation waited for a connection of its pool. */
  waited(milliseconds: number): void {
    this.#span?.setAttribute(ATTR_POOL_WAIT, milliseconds);
  }

  /** For an operation whose connection was chosen after its start. */
  connectedTo(endpoint: Endpoint): void {
    const { system, namespace, peerAddress, peerPort } = this.#operation.endpoint;
    if (
      endpoint.peerAddress === peerAddress &&
      endpoint.peerPort === peerPort &&
      endpoint.system === system &&
      endpoint.namespace === namespace
    ) {
      return;
    }
    const attributes: Attributes = { ...endpoint.attributes };
    if (this.#config.legacyAttributes) addLegacyNames(attributes);
    this.add(attributes);
  }

  /** For an operation whose statement became known after its start. */
  learn(later: Statement & Partial<Operation>): void {
    const operation = Object.assign(this.#operation, later);
    const attributes = attributesOf(operation, this.#config);
    this.add(attributes);
    const proposed = spanNameOf(operation, attributes);
    this.#span?.updateName(this.#config.spanName?.(operation, proposed) ?? proposed);
  }

  /** `text` with this operation's trace context as a comment, where the configuration asks. */
  comment(text: string): string {
    const { sqlCommenter } = this.#config;
    if (!sqlCommenter) return text;
    return withComment(text, this.context, sqlCommenter);
  }

  /** Ends the span and measures the duration. */
  end(error?: unknown, result?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#end(error, result);
    } catch (thrown) {
      // A processor or an instrument that throws must not reach whoever waits for the result.
      sayOnce('error', `end:${messageOf(thrown)}`, `cannot end a span: ${messageOf(thrown)}`);
    }
  }

  #end(error: unknown, result: unknown): void {
    const { responseHook, returnedRows } = this.#config;
    if (this.#operation.messaging) this.#addMessages(error, result);
    if (error !== undefined && error !== null) this.#fail(error);
    else if (returnedRows) this.#countRows(result);
    const span = this.#span;
    if (responseHook && span?.isRecording()) guard(() => responseHook(span, { error, result }));
    span?.end();
    this.#measure();
  }

  #fail(error: unknown): void {
    const { type, statusCode, message } = this.#source.responses.describeError(error);
    const attributes: Attributes = { [ATTR_ERROR_TYPE]: type };
    if (statusCode !== undefined) attributes[ATTR_DB_RESPONSE_STATUS_CODE] = statusCode;
    this.add(attributes);
    const span = this.#span;
    if (!span?.isRecording()) return;
    const code = SpanStatusCode.ERROR;
    const shown = message ? this.#scrubbed(message) : undefined;
    addExceptionEvent(span, error, shown);
    span.setStatus(shown ? { code, message: shown } : { code });
  }

  #scrubbed(message: string): string {
    const { text, dialect, values } = this.#operation;
    return scrubMessage(message, {
      text,
      ...(dialect && { dialect }),
      values: Array.isArray(values) ? (values as unknown[]) : objectValues(values),
    });
  }

  /** Adds what became known of the messages: the id of one that was sent, those that came. */
  #addMessages(error: unknown, result: unknown): void {
    const { type } = this.#operation.messaging ?? {};
    const hasFailed = error !== undefined && error !== null;
    if (type === 'send' && typeof result === 'string') {
      this.add({ [ATTR_MESSAGING_MESSAGE_ID]: result });
    }
    if (type !== 'receive') return;
    const { messagesIn } = this.#source.responses;
    const received = hasFailed ? undefined : messagesIn?.(result);
    const links = received?.links ?? [];
    if (received && received.count > 0) {
      this.add({ [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: received.count });
      if (received.id) this.add({ [ATTR_MESSAGING_MESSAGE_ID]: received.id });
    }
    if (this.startLater === undefined) {
      if (links.length > 0) this.#span?.addLinks?.([...links]);
      return;
    }
    if (!hasFailed && !received?.count) return;
    this.#span = this.startLater([...links]);
    this.started();
  }

  #countRows(result: unknown): void {
    const { responses, providers } = this.#source;
    const rows = responses.countRows?.(result);
    if (rows === undefined) return;
    this.add({ [ATTR_RETURNED_ROWS]: rows });
    providers.returnedRows?.record(rows, measuredAttributes(this.#attributes));
  }

  #measure(): void {
    const duration = this.#duration;
    if (duration === undefined) return;
    const span = this.#span;
    const seconds = hasDuration(span)
      ? span.duration[0] + span.duration[1] / 1e9
      : (performance.now() - this.#startedAt) / 1000;
    duration.record(seconds, measuredAttributes(this.#attributes), this.context);
  }

  /** The caller's context with this span in it, which an exemplar can point at. */
  get context(): Context {
    return this.#span ? trace.setSpan(this.#parent, this.#span) : this.#parent;
  }
}

/** The SDK's own spans do, from their start on. */
function hasDuration(span: Span | undefined): span is Span & { readonly duration: HrTime } {
  return (span as { duration?: HrTime } | undefined)?.duration !== undefined;
}

function objectValues(values: unknown): unknown[] | undefined {
  return typeof values === 'object' && values !== null ? Object.values(values) : undefined;
}

function guard(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    sayOnce('error', `hook:${messageOf(error)}`, `your hook threw: ${messageOf(error)}`);
  }
}
