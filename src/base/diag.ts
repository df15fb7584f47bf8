/*
 * OpenTelemetry's `diag` by the global object in which its API keeps what is registered. clew
 * may be loaded before the API, or without it.
 */

const GLOBAL = Symbol.for('opentelemetry.js.api.1');

/** The levels of a logger of `diag` that are used here. */
export type DiagLogger = Record<'error' | 'warn' | 'info' | 'debug', (message: string) => void>;

/** The logger that the application gave to `diag.setLogger`, behind the level it asked for. */
export function diagLogger(): DiagLogger | undefined {
  return (globalThis as { [GLOBAL]?: { diag?: DiagLogger } })[GLOBAL]?.diag;
}
