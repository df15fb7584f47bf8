import type { EventEmitter } from 'node:events';

/* `MqttClient` as far as it is used, and as all supported versions have it. */

export interface Properties {
  userProperties?: unknown;
}

export interface PublishOptions {
  properties?: Properties;
}

export interface Packet {
  properties?: Properties;
}

export interface MqttClient extends EventEmitter {
  readonly options: {
    readonly protocolVersion?: number;
    readonly hostname?: unknown;
    readonly host?: unknown;
    readonly port?: unknown;
    readonly clientId?: unknown;
  };
  publish(...args: unknown[]): unknown;
  subscribe(...args: unknown[]): unknown;
  unsubscribe(...args: unknown[]): unknown;
  end(...args: unknown[]): unknown;
  /** Opens the connection: of version 5, and of version 4. */
  connect?(...args: unknown[]): unknown;
  _setupStream?(...args: unknown[]): unknown;
}
