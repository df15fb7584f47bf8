import { createRequire, syncBuiltinESMExports } from 'node:module';
import { channel } from 'node:diagnostics_channel';

import { loadPeer, locatePeer } from './base/peers.ts';
import type { OtelInstrumentation } from './config.ts';
import {
  deliverBuiltins,
  isPatchedElsewhere,
  patchingBuiltins,
  switchOver,
  type PatchSwitch,
} from './instrumentation/index.ts';
import { libraryOf } from './instrumentation-set.ts';
import { isRequestOfTool } from './other-tools.ts';

/*
 * HTTP spans are not clew's purpose: OpenTelemetry's own packages make them, and those of the user
 * go first.
 */

export interface HttpInstrumentation {
  readonly instrumentation: OtelInstrumentation;
  /** Takes it out of the way of another one. */
  readonly stepAside: () => void;
  /** Whether another one is at work beside it. */
  readonly hasRival?: () => boolean;
  readonly undo: () => void;
}

export interface HttpSettings {
  isEnabled(name: string): boolean;
  /** The libraries of the instrumentations that the user brings. */
  readonly brought: readonly string[];
  onProblem(message: string): void;
  /** Called for a library that another tool instruments already. */
  onOther(library: string, other: string): void;
}

const HTTP = '@opentelemetry/instrumentation-http';
const UNDICI = '@opentelemetry/instrumentation-undici';
const LISTENER = 'bound onRequestCreated';
const OTHER = 'an OpenTelemetry instrumentation';
const load = createRequire(import.meta.url);

/** Makes the instrumentations of HTTP that are installed, wanted and not there already. */
export function createHttpInstrumentations(settings: HttpSettings): HttpInstrumentation[] {
  const isWanted = (name: string): boolean =>
    settings.isEnabled(name) && !settings.brought.includes(libraryOf(name));
  const made: HttpInstrumentation[] = [];
  const isHttpWanted = isWanted(HTTP);
  if (isHttpWanted || settings.brought.includes('http')) {
    // An application that only imports them would never make the require hooks of others look.
    loadHttp();
    if (isHttpWanted && httpModules().some(isPatchedElsewhere)) settings.onOther('http', OTHER);
    else if (isHttpWanted) made.push(...createHttp(settings));
    syncBuiltinESMExports();
  }
  if (isWanted(UNDICI)) {
    if (undiciListeners() > 0) settings.onOther('undici', OTHER);
    else made.push(...createUndici(settings));
  }
  return made;
}

function createHttp(settings: HttpSettings): HttpInstrumentation[] {
  const instrumentation = create(HTTP, 'HttpInstrumentation', settings, {
    ignoreOutgoingRequestHook: isRequestOfTool,
  });
  if (!instrumentation) return [];
  deliverBuiltins(instrumentation);
  // Below the patches of another one they would hide the other's span from what a request does.
  const switches = httpModules().flatMap((module): (PatchSwitch | undefined)[] => [
    switchOver(module, 'request'),
    switchOver(module, 'get'),
    switchOver(module.Server.prototype, 'emit'),
  ]);
  return [
    {
      instrumentation,
      stepAside: () => {
        for (const one of switches) one?.turnOff();
      },
      undo: () => {
        for (const one of switches.toReversed()) one?.undo();
        syncBuiltinESMExports();
      },
    },
  ];
}

function createUndici(settings: HttpSettings): HttpInstrumentation[] {
  const instrumentation = create(UNDICI, 'UndiciInstrumentation', settings, {});
  if (!instrumentation) return [];
  return [
    {
      instrumentation,
      stepAside: () => instrumentation.disable(),
      hasRival: () => undiciListeners() > 1,
      undo: () => undefined,
    },
  ];
}

function create(
  name: string,
  className: string,
  settings: HttpSettings,
  config: object,
): OtelInstrumentation | undefined {
  if (locatePeer(name) === undefined) {
    settings.onProblem(`no HTTP spans: \`${name}\` is not installed. Run npm i ${name}.`);
    return undefined;
  }
  const module = loadPeer<Record<string, new (config: object) => OtelInstrumentation>>(name);
  const Instrumentation = module[className];
  return Instrumentation && patchingBuiltins(() => new Instrumentation(config));
}

type HttpModule = typeof import('node:http');

function httpModules(): HttpModule[] {
  return ['node:http', 'node:https'].map((name) => load(name) as HttpModule);
}

function loadHttp(): void {
  httpModules();
}

/** How many instrumentations of OpenTelemetry listen to undici, which they do by a channel. */
function undiciListeners(): number {
  const { _subscribers: subscribers } = channel('undici:request:create') as unknown as {
    _subscribers?: unknown;
  };
  if (!Array.isArray(subscribers)) return 0;
  return (subscribers as { name?: string }[]).filter(({ name }) => name === LISTENER).length;
}
