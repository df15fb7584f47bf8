import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import { environment } from '../../base/environment.ts';
import { optionError } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { Instrumentation } from '../instrumentation.ts';
import type { Undo } from '../../base/patch.ts';
import { Providers } from '../recorder/providers.ts';
import { VERSION } from '../version.ts';
import { resolveHttpClientConfig } from './client/client-config.ts';
import { HttpClientInstrumentation, type HttpClientConfig } from './client/index.ts';
import { isOfficialOnServers } from './official.ts';
import { resolveServerConfig, type HttpServerConfig } from './server/server-config.ts';
import { instrumentServers } from './server/server-instrumentation.ts';
import { ServerRecorder } from './server/server-recorder.ts';
import { readHttpServerSettings } from './server/server-settings.ts';

/** The configuration of HTTP spans. */
export interface HttpConfig {
  /** Whether HTTP is instrumented at all. Default: true. */
  enabled?: boolean;
  /** Requests received by servers in this process. */
  incoming?: HttpServerConfig;
  /** Requests sent by this process, including those of undici and `fetch`. */
  outgoing?: HttpClientConfig;
}

/** One of the two directions of HTTP. */
export type Direction = 'incoming' | 'outgoing';

const SCOPE = 'clew/http';
const OFFICIAL = '@opentelemetry/instrumentation-http';

/** The instrumentation of `node:http`, `node:https` and `node:http2`. */
export class HttpInstrumentation implements Instrumentation<HttpConfig> {
  readonly instrumentationName: string = SCOPE;
  readonly instrumentationVersion: string = VERSION;
  readonly #providers = new Providers(SCOPE, VERSION);
  readonly #server: ServerRecorder;
  /** Of `node:http` and of `node:http2`. */
  readonly #clients: readonly [HttpClientInstrumentation, HttpClientInstrumentation];
  readonly #undos = new Map<Direction, Undo>();
  readonly #aside = new Set<Direction>();
  #config: HttpConfig;
  #isEnabled = false;

  constructor(config: HttpConfig = {}) {
    this.#config = checkHttpConfig(config);
    this.#server = new ServerRecorder(this.#providers, serverConfigOf(config));
    this.#server.onOfficial = () => this.#leaveToOfficial('incoming');
    this.#clients = [
      new HttpClientInstrumentation('http', config.outgoing),
      new HttpClientInstrumentation('http2', config.outgoing),
    ];
    this.#clients[0].onOfficial = () => this.#leaveToOfficial('outgoing');
  }

  enable(): void {
    if (this.#isEnabled || this.#config.enabled === false) return;
    this.#isEnabled = true;
    for (const client of this.#clients) client.enable();
    if (isOfficialOnServers()) this.#leaveToOfficial('incoming');
    if (this.#config.incoming?.enabled === false || this.#aside.has('incoming')) return;
    this.#undos.set('incoming', instrumentServers(this.#server));
  }

  disable(): void {
    this.#isEnabled = false;
    for (const client of this.#clients) client.disable();
    for (const undo of this.#undos.values()) undo();
    this.#undos.clear();
  }

  /** Node's own modules are reached in every application, bundled or not. */
  instrument(): Undo {
    return () => undefined;
  }

  /** Leaves one direction to another instrumentation, for good. Nobody else records `node:http2`. */
  leave(direction: Direction): void {
    if (direction === 'outgoing') {
      this.#clients[0].leave();
      return;
    }
    this.#aside.add(direction);
    this.#undos.get(direction)?.();
    this.#undos.delete(direction);
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#providers.setTracerProvider(provider);
    for (const client of this.#clients) client.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#providers.setMeterProvider(provider);
    for (const client of this.#clients) client.setMeterProvider(provider);
  }

  setConfig(config: HttpConfig): void {
    this.#server.config = serverConfigOf(checkHttpConfig(config));
    for (const client of this.#clients) client.setConfig(config.outgoing ?? {});
    this.#config = config;
  }

  getConfig(): HttpConfig {
    return { ...this.#config, enabled: this.#isEnabled };
  }

  #leaveToOfficial(direction: Direction): void {
    this.leave(direction);
    sayOnce(
      'debug',
      `brought:http:${direction}`,
      `spans of ${direction} HTTP requests are created by your ${OFFICIAL}.`,
    );
  }
}

/** Options that are not set in code are read from the environment. */
function serverConfigOf({ incoming = {} }: HttpConfig): ReturnType<typeof resolveServerConfig> {
  return resolveServerConfig({ ...readHttpServerSettings(environment()).settings, ...incoming });
}

/** Returns `config`; throws `ERR_OPTION` for an invalid name or value. */
export function checkHttpConfig(config: HttpConfig): HttpConfig {
  if (typeof config !== 'object' || config === null) {
    throw optionError('http', 'an object', config);
  }
  for (const key of Object.keys(config)) {
    if (key !== 'enabled' && key !== 'incoming' && key !== 'outgoing') {
      throw optionError('config', 'made of enabled, incoming, outgoing', key);
    }
  }
  resolveServerConfig(config.incoming ?? {});
  resolveHttpClientConfig(config.outgoing ?? {});
  return config;
}
