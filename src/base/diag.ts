/*
 * Finds OpenTelemetry's `diag` through the global object in which the API keeps its registrations,
 * since clew may be loaded before the API, or without it.
 */

const GLOBAL = Symbol.for('opentelemetry.js.api.1');

/** The levels of a logger of `diag` that are used here. */
export type DiagLogger = Record<'error' | 'warn' | 'info' | 'debug', (message: string) => void>;

/** The logger that the application passed to `diag.setLogger`, behind the level it set. */
export function diagLogger(): DiagLogger | undefined {
  return (globalThis as { [GLOBAL]?: { diag?: DiagLogger } })[GLOBAL]?.diag;
}
