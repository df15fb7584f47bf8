import {
  context,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import { typeOf } from '../../recorder/exception-event.ts';
import { CODE_FUNCTION_NAME, ERROR_TYPE, HTTP_ROUTE } from '../attributes.ts';
import { nameOf, type Handler } from './handler-name.ts';

/*
 * Spans of the middlewares, hooks and handlers that a request passes through, for applications that ask
 * for them. What a handler does is below its span; what it hands on to is not.
 */

/** Of this package: which framework has called, and what. */
const HANDLER_FRAMEWORK = 'clew.handler.framework';
const HANDLER_TYPE = 'clew.handler.type';

/** The frameworks whose handlers may have spans, by their names in configuration. */
const FRAMEWORKS = [
  'express',
  'fastify',
  'koa',
  'hono',
  'hapi',
  'nestjs-core',
  'connect',
  'polka',
  'restify',
  'find-my-way',
] as const;

/** A function of an application that a framework calls for a request. */
export interface HandlerCall {
  readonly framework: (typeof FRAMEWORKS)[number];
  readonly type: 'middleware' | 'handler' | 'error handler' | 'hook';
  readonly handler: Handler | undefined;
  /** What it is called for, where that says more than the name of the function: `onRequest`. */
  readonly step?: string;
}

/** Whether spans of handlers are switched on: some frameworks put their handlers together only once. */
let areAsked = false;
/** The frameworks whose official instrumentations make such spans. */
const left = new Set<string>();

/**
 * The frameworks whose official instrumentations are there and have made no span yet, each with the id of
 * the span of the request that waits for one. They may be switched off.
 */
const suspected = new Map<string, string>();

/** Notes whether requests have spans of their handlers from now on. */
export function askForHandlerSpans(asked: boolean): void {
  areAsked = asked;
}

export function areHandlerSpansAsked(): boolean {
  return areAsked;
}

/**
 * Leaves the spans of the handlers of `framework` to another instrumentation, until they are resumed.
 * Returns whether there would have been some.
 */
export function leaveHandlerSpans(framework: string): boolean {
  const name = nameOfFramework(framework);
  const isMade = areAsked && (FRAMEWORKS as readonly string[]).includes(name);
  const isFirst = !left.has(name);
  left.add(name);
  return isMade && isFirst;
}

/** Leaves out the spans of the next request's handlers, whose official instrumentation may make them. */
export function suspectHandlerSpans(framework: string): void {
  suspected.set(nameOfFramework(framework), '');
}

/** Whether `request` is the one in which an official instrumentation of `framework` may show itself. */
function isLeftToOthers(framework: string, request: Span): boolean {
  if (left.has(framework)) return true;
  const waiting = suspected.get(framework);
  if (waiting === undefined) return false;
  const { spanId } = request.spanContext();
  if (waiting === '') suspected.set(framework, spanId);
  if (waiting === '' || waiting === spanId) return true;
  suspected.delete(framework);
  return false;
}

export function resumeHandlerSpans(framework: string): void {
  left.delete(nameOfFramework(framework));
}

/** The routers of express 5 are those of `router`. */
function nameOfFramework(name: string): string {
  return name === 'router' ? 'express' : name;
}

/** The span of one call of a handler. */
export class HandlerSpan {
  readonly #span: Span;
  readonly #outer: Context;
  readonly #inner: Context;
  readonly #open: Set<HandlerSpan>;

  private constructor(span: Span, outer: Context, open: Set<HandlerSpan>) {
    this.#span = span;
    this.#outer = outer;
    this.#inner = trace.setSpan(outer, span);
    this.#open = open;
    open.add(this);
  }

  /**
   * Starts the span in the active context. `open` has those of the request that have not ended. Undefined
   * where the context is not that of the request's trace, or another instrumentation makes the span.
   */
  static start(
    tracer: Tracer,
    request: Span,
    call: HandlerCall,
    route: string | undefined,
    open: Set<HandlerSpan>,
  ): HandlerSpan | undefined {
    if (isLeftToOthers(call.framework, request)) return undefined;
    const outer = context.active();
    const parent = trace.getSpanContext(outer);
    if (parent?.traceId !== request.spanContext().traceId) return undefined;
    const { framework, type, handler, step } = call;
    const name = handler === undefined ? '' : nameOf(handler);
    const attributes: Attributes = { [HANDLER_FRAMEWORK]: framework, [HANDLER_TYPE]: type };
    if (route !== undefined) attributes[HTTP_ROUTE] = route;
    if (name !== '') attributes[CODE_FUNCTION_NAME] = name;
    const shown = [type, step, name || (type === 'handler' ? route : undefined)];
    const span = tracer.startSpan(shown.filter(Boolean).join(' '), { attributes }, outer);
    return new HandlerSpan(span, outer, open);
  }

  /**
   * Calls a handler in the context of the span, which ends with what it throws, or with the promise that
   * it returns. One that returns anything else has ended, unless `isAnswered` says that it has not: it
   * then ends by its `next`, or with the request.
   */
  run(call: () => unknown, isAnswered?: () => boolean): unknown {
    let result: unknown;
    try {
      result = context.with(this.#inner, call);
    } catch (error) {
      this.end(error);
      throw error;
    }
    if (result instanceof Promise) {
      return result.then(
        (value: unknown) => {
          this.end();
          return value;
        },
        (error: unknown) => {
          this.end(error);
          throw error;
        },
      );
    }
    if (isAnswered?.() !== false) this.end();
    return result;
  }

  /** The `next` of a handler that has ended once it calls it. */
  leaving<Next extends (...args: never[]) => unknown>(
    next: Next,
    errorOf: (first: unknown) => unknown = (first) => first,
  ): Next {
    const leave = (...args: never[]): unknown => {
      const [first] = args as unknown[];
      this.end(errorOf(first) || undefined);
      return this.#outside(next, args);
    };
    return leave as Next;
  }

  /** The `next` of a handler that goes on when what it has handed on to is done. */
  around<Next extends (...args: never[]) => unknown>(next: Next): Next {
    return ((...args: never[]) => this.#outside(next, args)) as Next;
  }

  end(error?: unknown): void {
    if (!this.#open.delete(this)) return;
    if (error !== undefined) {
      // The span of the request has the error with its stack.
      this.#span.setAttribute(ERROR_TYPE, typeOf(error));
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }

  /** Calls `next` in the active context without this span: what the handler has entered stays. */
  #outside<Args extends unknown[]>(next: (...args: Args) => unknown, args: Args): unknown {
    const active = context.active();
    if (active === this.#inner) return context.with(this.#outer, next, undefined, ...args);
    if (trace.getSpan(active) !== this.#span) return next(...args);
    const outer = trace.getSpan(this.#outer);
    const without = outer ? trace.setSpan(active, outer) : trace.deleteSpan(active);
    return context.with(without, next, undefined, ...args);
  }
}
