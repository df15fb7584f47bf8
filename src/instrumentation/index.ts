import type { ClientDefinition } from './client.ts';
import type { ClientConfig } from './client-config.ts';
import { ioredis } from './clients/ioredis/index.ts';
import { pg } from './clients/pg/index.ts';
import { optionError } from '../base/errors.ts';
import { Instrumentation } from './instrumentation.ts';

/** Every client, in the order of the documentation. */
const CLIENTS = [pg, ioredis] as const satisfies readonly ClientDefinition[];

/** Configuration by client; `all` holds what is common to them, and yields to a client's own. */
export type InstrumentationOptions = Partial<Record<'all' | 'pg' | 'ioredis', ClientConfig>>;

/**
 * The instrumentations of all clients, for `registerInstrumentations` of
 * `@opentelemetry/instrumentation` or to be enabled by hand. Clients that are configured with
 * `enabled: false` are left out.
 */
export function getInstrumentations(options: InstrumentationOptions = {}): Instrumentation[] {
  const names = new Set<string>(['all', ...CLIENTS.map(({ name }) => name)]);
  for (const name of Object.keys(options)) {
    if (!names.has(name)) {
      throw optionError('getInstrumentations', `given ${[...names].join(', ')}`, name);
    }
  }
  return CLIENTS.map(
    (client) => [client, { ...options.all, ...options[client.name as 'pg'] }] as const,
  )
    .filter(([, config]) => config.enabled !== false)
    .map(([client, config]) => new Instrumentation(client, config));
}

export { hookImports } from './module-hooks.ts';
export { Instrumentation } from './instrumentation.ts';
export type { ClientConfig } from './client-config.ts';
