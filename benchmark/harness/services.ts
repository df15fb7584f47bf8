import { createInstance } from '../../test/support/instances.ts';
import { URL_VARIABLES, type ServiceName } from '../../test/support/services.ts';

/** Servers that run, and how to stop those that were started here. */
export interface Services {
  /** Their URLs by the names of variables. */
  env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the servers `names`, unless the environment names running ones; reports what is missing. */
export async function startServices(names: Iterable<ServiceName>): Promise<Services> {
  const env: Record<string, string> = {};
  const stops: (() => Promise<void>)[] = [];
  for (const name of new Set(names)) {
    const variable = URL_VARIABLES[name];
    if (process.env[variable]) continue;
    const instance = await createInstance(name);
    if (typeof instance === 'string') {
      console.error(`without ${name}: ${instance}`);
      continue;
    }
    env[variable] = instance.url;
    stops.push(() => instance.stop());
  }
  return {
    env,
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}
