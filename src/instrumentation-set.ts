import { ProxyTracerProvider, type Tracer, type TracerProvider } from '@opentelemetry/api';

import { sayOnce } from './base/log.ts';
import type { OtelInstrumentation } from './config.ts';
import { ClientInstrumentation } from './instrumentation/index.ts';

/*
 * Which instrumentation makes the spans of a library, where several could. What the user brings goes
 * before what is built in: an instrumentation given to `start`, one that replaced the library's
 * methods before ours, or one whose tracer starts a span. Ours then keeps callers' contexts and makes
 * no spans. It is never the other way round: what is not ours is left alone.
 */

const NO_SPANS: TracerProvider = new ProxyTracerProvider().getDelegate();

/** Names of the official packages that differ from those of the libraries. */
const ALIASES: Readonly<Record<string, string>> = { 'redis-4': 'redis' };

/** The library of an instrumentation, from names such as `clew/pg` and `@opentelemetry/instrumentation-pg`. */
export function libraryOf(instrumentationName: string): string {
  const name = instrumentationName.replace(/^clew\/|^@opentelemetry\/instrumentation-/, '');
  return ALIASES[name] ?? name;
}

/** The instrumentations that are built in, by their libraries, and those that stepped aside. */
export class InstrumentationSet {
  readonly #builtIn = new Map<string, OtelInstrumentation>();
  readonly #aside = new Set<string>();

  /** Adds one that is built in. */
  add(instrumentation: OtelInstrumentation): void {
    const library = libraryOf(instrumentation.instrumentationName);
    this.#builtIn.set(library, instrumentation);
    if (!(instrumentation instanceof ClientInstrumentation)) return;
    instrumentation.onPatchedElsewhere = () =>
      this.leaveToOther(library, 'an OpenTelemetry instrumentation');
  }

  /** The libraries whose spans the built-in instrumentations make. */
  get libraries(): string[] {
    return [...this.#builtIn.keys()].filter((library) => !this.#aside.has(library));
  }

  /** Leaves the spans of what `brought` covers to it, which was given to `start`. */
  leaveTo(brought: OtelInstrumentation): void {
    const { instrumentationName: name } = brought;
    const library = libraryOf(name);
    if (this.#stepAside(library)) {
      sayOnce('debug', `brought:${library}`, `spans of ${library} are made by your ${name}.`);
    }
  }

  /** Leaves the spans of `library` to another tool that was found to make them as well. */
  leaveToOther(library: string, other: string): void {
    if (!this.#stepAside(library)) return;
    sayOnce(
      'warn',
      `twice:${library}`,
      `${library} is instrumented twice, by clew and by ${other}; clew makes no spans for it. ` +
        `Remove the other to have clew's, or give it to start({ instrumentations }).`,
    );
  }

  /** Finds the instrumentations that were registered elsewhere by the tracers they ask `provider` for. */
  watch(provider: TracerProvider): void {
    const getTracer = provider.getTracer.bind(provider);
    provider.getTracer = (name, version, options) => {
      const tracer = getTracer(name, version, options);
      const library = libraryOf(name);
      const isRival = name !== `clew/${library}` && this.#builtIn.has(library);
      if (isRival && !this.#aside.has(library)) this.#watchTracer(tracer, name, library);
      return tracer;
    };
  }

  /** Its first span, and not its making: an instrumentation that is switched off has a tracer, too. */
  #watchTracer(tracer: Tracer, name: string, library: string): void {
    const startSpan = tracer.startSpan.bind(tracer);
    tracer.startSpan = (...args) => {
      tracer.startSpan = startSpan;
      this.leaveToOther(library, name);
      return startSpan(...args);
    };
  }

  #stepAside(library: string): boolean {
    const builtIn = this.#builtIn.get(library);
    if (builtIn === undefined || this.#aside.has(library)) return false;
    this.#aside.add(library);
    builtIn.setTracerProvider(NO_SPANS);
    return true;
  }
}
