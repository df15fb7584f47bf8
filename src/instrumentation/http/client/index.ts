import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import { environment } from '../../../base/environment.ts';
import type { Instrumentation } from '../../instrumentation.ts';
import type { Undo } from '../../../base/patch.ts';
import { VERSION } from '../../version.ts';
import {
  resolveHttpClientConfig,
  type HttpClientConfig,
  type ResolvedHttpClientConfig,
} from './client-config.ts';
import { readHttpClientSettings } from './client-settings.ts';
import { HttpClientRecorder } from './client-recorder.ts';
import { followHttp2 } from './http2-sessions.ts';
import { followNodeRequests } from './node-requests.ts';
import { followUndiciRequests } from './undici-requests.ts';

/** What sends requests: `node:http` and `node:https`, undici and `fetch`, `node:http2`. */
export type HttpClientApi = 'http' | 'undici' | 'http2';

/** `clew/http` is the scope of both of Node's modules. */
const SCOPES = { http: 'clew/http', http2: 'clew/http', undici: 'clew/undici' } as const;

/** The instrumentation of the requests that an application sends by one API. */
export class HttpClientInstrumentation implements Instrumentation<HttpClientConfig> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #api: HttpClientApi;
  readonly #recorder: HttpClientRecorder;
  #config: HttpClientConfig;
  #undo: Undo | undefined;
  /** Called when OpenTelemetry's own instrumentation is found to record the same requests. @internal */
  onOfficial: (() => void) | undefined;

  constructor(api: HttpClientApi, config: HttpClientConfig = {}) {
    this.instrumentationName = SCOPES[api];
    this.#api = api;
    this.#config = config;
    this.#recorder = new HttpClientRecorder(this.instrumentationName, VERSION, resolved(config));
  }

  enable(): void {
    if (this.#undo || !this.#recorder.config.enabled) return;
    this.#undo = this.#follow();
  }

  disable(): void {
    this.#undo?.();
    this.#undo = undefined;
  }

  /** What sends requests is reached in every application, bundled or not. */
  instrument(): Undo {
    return () => undefined;
  }

  /** Leaves the spans to another tool, for good; callers keep their contexts. @internal */
  leave(): void {
    this.#recorder.leave();
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#recorder.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#recorder.providers.setMeterProvider(provider);
  }

  setConfig(config: HttpClientConfig): void {
    this.#recorder.config = resolved(config);
    this.#config = config;
  }

  getConfig(): HttpClientConfig {
    return { ...this.#config, enabled: this.#undo !== undefined };
  }

  #follow(): Undo {
    if (this.#api === 'undici') return followUndiciRequests(this.#recorder);
    if (this.#api === 'http2') return followHttp2(this.#recorder);
    return followNodeRequests(this.#recorder, () => this.onOfficial?.());
  }
}

/** Options that are not set in code are read from the environment. */
function resolved(config: HttpClientConfig): ResolvedHttpClientConfig {
  return resolveHttpClientConfig({ ...readHttpClientSettings(environment()).settings, ...config });
}

export type { HttpClientConfig } from './client-config.ts';
export type { IncomingResponse, OutgoingRequest } from './outgoing-request.ts';
