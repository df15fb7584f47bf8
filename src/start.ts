import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

import { context, propagation, trace, type TracerProvider } from '@opentelemetry/api';
import type { SpanProcessor } from './export/sdk/sdk-types.ts';

import { environment } from './base/environment.ts';
import { ClewError, messageOf } from './base/errors.ts';
import { say, setLogLevel, willSay } from './base/log.ts';
import { workingFolder } from './base/working-folder.ts';
import { readConfig, type Config, type StartOptions } from './config.ts';
import { AsyncHooksContextManager } from './context/async-hooks-context-manager.ts';
import { ContextLossMarks } from './diagnosis/context-loss-marks.ts';
import type { LossCounts } from './diagnosis/detector.ts';
import type { AddedProcessors } from './export/sdk/added-processors.ts';
import type { DeliverySpanProcessor } from './export/delivery.ts';
import { installExitHandlers } from './export/exit-handlers.ts';
import { createProvider } from './export/sdk/pipeline.ts';
import { createPropagator } from './export/sdk/propagators.ts';
import type { Provider } from './export/sdk/sdk.ts';
import { JaegerHints } from './export/sdk/jaeger-hints.ts';
import type { DeliveryStats } from './export/stats.ts';
import { InstrumentationSet, libraryOf } from './instrumentation-set.ts';
import {
  createInstrumentations,
  deliverBuiltinsLater,
  hookImports,
  keptWithoutRules,
  patchConsole,
} from './instrumentation/index.ts';
import { Leftovers } from './instrumentation/leftovers.ts';
import { joinProcesses } from './instrumentation/processes/index.ts';
import { enableRules, findRuleFile, RepairSpanProcessor } from './instrumentation/rules/index.ts';
import { InstrumentedReport } from './instrumented-report.ts';
import { leavingToolsAlone } from './other-tools.ts';
import { sentryClient } from './sentry.ts';
import { shortReport, startReport, uncoveredReport } from './start-report.ts';
import { Surroundings } from './surroundings.ts';
import type { AsyncResourceTracer } from './tracer/async-resource-tracer.ts';
import { runUntraced } from './tracer/owner.ts';
import { startTracing } from './tracer/tracing.ts';

/** Counts of spans, by where they are, and of context losses. */
export interface ClewStats extends DeliveryStats {
  /** The context losses detected so far, by kind; undefined if the tracer is off. */
  contextLosses?: LossCounts | undefined;
}

/** What `start` returns. */
export interface Clew {
  /** The problems found in options and environment, as they were logged. */
  readonly problems: readonly string[];
  /**
   * Counts of the spans that have ended, by where they are now; undefined if spans are not exported
   * or go to the console.
   */
  stats(): ClewStats | undefined;
  /** The tracer of this process, to change its level; undefined where clew is disabled. */
  readonly tracer: AsyncResourceTracer | undefined;
  /**
   * Adds a span processor, which receives spans from now on. Returns a function that removes it. If
   * clew is disabled, or another provider was registered first, it receives none.
   */
  addSpanProcessor(processor: SpanProcessor): () => void;
  /** Sends the spans that have ended so far. */
  forceFlush(): Promise<void>;
  /**
   * Sends the spans that have ended, undoes every patch and unregisters clew from OpenTelemetry's
   * globals.
   */
  shutdown(): Promise<void>;
}

let running: Clew | undefined;

/**
 * Starts clew: registers the context manager and the propagators, patches libraries as they are
 * loaded, and sends spans over OTLP/HTTP.
 *
 * It never throws. Each problem (an unknown option, a malformed URL, a missing peer) is logged in
 * one line, the default is used, and the application still starts. A second call returns the result
 * of the first.
 */
export function start(options: StartOptions = {}): Clew {
  endWait();
  if (running) say('warn', 'start() was called twice; the second call has no effect.');
  return startIn(environment(), options);
}

/** Starts clew by another environment, or returns the one that runs. @internal */
export function startIn(env: NodeJS.ProcessEnv, options: StartOptions = {}): Clew {
  endWait();
  if (running) return running;
  const { config, problems } = readConfig(options, env);
  setLogLevel(config.logLevel);
  const found = problems.map((problem) => problem.message);
  for (const problem of found) say('warn', problem);
  const parts = new Parts(config, found);
  running = {
    problems: found,
    stats: () => parts.stats(),
    tracer: parts.tracer,
    addSpanProcessor: (processor) => parts.added?.add(processor) ?? (() => undefined),
    forceFlush: () => parts.flush(),
    shutdown: async () => {
      running = undefined;
      await parts.shutdown();
    },
  };
  return running;
}

/** A preload that waits for the API to be used (`until-api-is-used.cts`) starts here, before anything else does. */
function endWait(): void {
  trace.getTracerProvider();
}

/** What was started, so that it can be taken down in the opposite order. */
class Parts {
  readonly #problems: string[];
  readonly #instrumentations = new InstrumentationSet();
  readonly #undo: (() => void)[] = [];
  readonly #leftovers = new Leftovers();
  /** What another SDK registered before. */
  readonly #kept: string[] = [];
  delivery: DeliverySpanProcessor | undefined;
  tracer: AsyncResourceTracer | undefined;
  added: AddedProcessors | undefined;
  #manager: AsyncHooksContextManager | undefined;
  #provider: Provider | undefined;
  #marks: ContextLossMarks | undefined;
  /** A line to the sender of the main thread. */
  #sender: MessagePort | undefined;
  #removeExitHandlers: (() => void) | undefined;

  constructor(config: Config, problems: string[]) {
    this.#problems = problems;
    this.#part('the context manager', () => this.#registerContextManager());
    this.#part('the propagators', () => this.#registerPropagators(config));
    this.#part('the context of processes and threads', () => this.#joinProcesses(config));
    // A rule repairs contexts, and those are propagated also where there are no spans.
    const { disabled, isInstrumentationEnabled } = config;
    const except = disabled ? [] : keptWithoutRules(isInstrumentationEnabled);
    this.#part('the repair rules', () => this.#undo.push(enableRules({ except })));
    this.#part('your repair rules', () => this.#enableOwnRules(config));
    if (!config.disabled) this.#part('the export', () => this.#registerProvider(config));
    this.#reportKept();
    if (!config.disabled) {
      this.#part('the instrumentation', () => this.#enableInstrumentations(config));
      this.#part('the marks of context losses', () => this.#markLosses(config));
      if (config.logs.console) {
        this.#part('ids in the console', () => this.#undo.push(patchConsole(config.logs.fields)));
      }
    }
    this.#part('the import hooks', () => this.#undo.push(hookImports(config.instrumentations)));
    this.#report(config);
  }

  /** Reports what another SDK registered before. */
  #reportKept(): void {
    if (this.#kept.length === 0) return;
    const isProvider = this.#kept.includes('tracer provider');
    const sentry = sentryClient();
    const message =
      isProvider && sentry?.isProvider && !sentry.isTracing
        ? "Sentry's tracer provider was registered first, and drops every span. Load clew before it, " +
          'or pass skipOpenTelemetrySetup: true to Sentry.init().'
        : `another ${this.#kept.join(' and ')} was registered first and is kept` +
          (isProvider ? '; spans go there.' : '.');
    this.#problems.push(message);
    say('warn', message);
  }

  /** Reports the set-up if that is enabled, and libraries that are loaded later. */
  #report(config: Config): void {
    const { libraries } = this.#instrumentations;
    const level = config.reportStart ? 'info' : 'debug';
    const started = { store: this.#manager?.store, isProvider: !!this.#provider, libraries };
    if (willSay('debug')) for (const line of startReport(config, started)) say('debug', line);
    else if (willSay(level)) for (const line of shortReport(config, started)) say(level, line);
    if (config.disabled) return;
    if (config.reportStart && willSay('info')) {
      const instrumented = new InstrumentedReport(
        () => this.#instrumentations.libraries,
        ['http', 'undici'],
        (line) => say('info', line),
      );
      this.#undo.push(() => instrumented.stop());
    }
    const covered = config.instrumentations.map((one) => one.instrumentationName);
    const surroundings = new Surroundings([...covered, ...covered.map(libraryOf)], (found) => {
      if (willSay(level)) for (const line of uncoveredReport(found)) say(level, line);
    });
    this.#undo.push(() => surroundings.stop());
  }

  stats(): ClewStats | undefined {
    const stats = this.delivery?.stats();
    return stats && { ...stats, contextLosses: this.#marks?.stats() };
  }

  async flush(): Promise<void> {
    try {
      await this.#provider?.forceFlush();
    } catch (error) {
      say('warn', `spans could not be sent: ${messageOf(error)}`);
    }
  }

  async shutdown(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) undo();
    this.#leftovers.remove();
    try {
      await this.#provider?.shutdown();
    } catch (error) {
      say('warn', `spans could not be sent: ${messageOf(error)}`);
    }
    // Until here, an early `process.exit()` still has a delivery that sends the remaining spans.
    this.#removeExitHandlers?.();
  }

  /** Runs one step of the start; a failure costs that part and not the application. */
  #part(name: string, step: () => unknown): void {
    try {
      step();
    } catch (error) {
      const prefix = error instanceof ClewError ? '' : `${name} could not be started: `;
      this.#problem(prefix + messageOf(error));
    }
  }

  #problem(message: string): void {
    this.#problems.push(message);
    say('warn', message);
  }

  #registerContextManager(): void {
    const manager = new AsyncHooksContextManager();
    if (context.setGlobalContextManager(manager.enable())) {
      this.#manager = manager;
      this.#undo.push(() => context.disable());
      return;
    }
    manager.disable();
    this.#kept.push('context manager');
  }

  #joinProcesses({ processes, consumerSpans }: Config): void {
    const lines = {
      shareSender: () => this.delivery?.shareSender(),
      handOn: () => this.delivery?.handOn(),
    };
    const joined = joinProcesses(processes, this.#manager, lines, consumerSpans);
    this.#sender = joined.sender;
    this.#undo.push(joined.undo);
  }

  #registerPropagators({ propagators }: Config): void {
    const propagator = createPropagator(propagators, (problem) => this.#problem(problem));
    if (propagation.setGlobalPropagator(propagator)) {
      this.#undo.push(() => propagation.disable());
    }
  }

  /** Apart from the built-in ones, so that a mistake in a file does not cost those as well. */
  #enableOwnRules({ rules }: Config): void {
    const file = findRuleFile(workingFolder());
    const files = file === undefined ? [] : [file];
    this.#undo.push(enableRules({ builtIn: false, rules, files }));
  }

  #registerProvider(config: Config): void {
    const tracing = startTracing(config.tracing);
    this.tracer = tracing.tracer;
    this.#undo.push(() => tracing.stop());
    // Everything created here, and all its later async work, is clew's own: the tracer leaves it
    // out.
    const { provider, delivery, added } = runUntraced(() =>
      createProvider(
        config,
        [
          tracing.processor,
          new RepairSpanProcessor(),
          ...(config.jaegerHints ? [new JaegerHints()] : []),
        ],
        this.#sender,
      ),
    );
    tracing.setTracerProvider(provider);
    if (!trace.setGlobalTracerProvider(provider)) {
      this.#kept.push('tracer provider');
      return;
    }
    this.#provider = provider;
    this.#undo.push(() => trace.disable());
    this.delivery = delivery;
    this.added = added;
    if (delivery && config.flushOnExit) {
      this.#removeExitHandlers = runUntraced(() =>
        installExitHandlers(
          delivery,
          () => tracing.end(),
          () => tracing.tracer.isCollecting,
        ),
      );
    }
  }

  /** Where the tracer watches anyway. */
  #markLosses({ tracing }: Config): void {
    if (tracing.level === 'off') return;
    const marks = new ContextLossMarks().start();
    this.#marks = marks;
    this.#undo.push(() => marks.stop());
  }

  #enableInstrumentations(config: Config): void {
    const provider: TracerProvider = this.#provider ?? trace.getTracerProvider();
    const { fields } = config.logs;
    const given = config.instrumentations.filter(({ instrumentationName }) =>
      config.isInstrumentationEnabled(instrumentationName),
    );
    // OpenTelemetry's own are enabled as soon as they are made.
    for (const one of config.instrumentations) if (!given.includes(one)) one.disable();
    if (given.some((one) => libraryOf(one.instrumentationName) === 'http')) loadHttp();
    // clew's own instrumentations that the user passed are configured as the user wants them.
    // Built-in ones would patch the same methods, and the first patch decides.
    const own = new Set(given.map((one) => one.instrumentationName));
    const builtIn = createInstrumentations(
      {
        logs: { enabled: fields !== undefined, fields: fields ?? {} },
        http: leavingToolsAlone(config.http),
      },
      config,
    ).filter(
      ({ instrumentationName: name }) => config.isInstrumentationEnabled(name) && !own.has(name),
    );
    for (const instrumentation of builtIn) {
      instrumentation.setTracerProvider(provider);
      // It may take the provider away again, where another one is at work already.
      this.#instrumentations.add(instrumentation);
    }
    for (const instrumentation of given) {
      this.#instrumentations.leaveTo(instrumentation);
      instrumentation.setTracerProvider(provider);
    }
    if (this.#provider) this.#instrumentations.watch(this.#provider);
    this.#instrumentations.leaveToSentry();
    for (const instrumentation of [...builtIn, ...given]) {
      instrumentation.enable();
      this.#undo.push(() => instrumentation.disable());
    }
    this.#undo.push(deliverBuiltinsLater(given));
    this.#leftovers.watch([...builtIn, ...given]);
  }
}

/**
 * OpenTelemetry's HTTP instrumentation patches `http` when it is required. An application that only
 * imports it would never trigger that, and its named imports see the patch only once they are
 * synchronised.
 */
function loadHttp(): void {
  const load = createRequire(import.meta.url);
  for (const name of ['node:http', 'node:https']) load(name);
  syncBuiltinESMExports();
}
