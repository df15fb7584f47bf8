import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { createInstance, type Instance } from '../../test/support/instances.ts';
import { URL_VARIABLES, type ServiceName } from '../../test/support/services.ts';

/*
 * Starts the database servers, unless the environment names running ones, and runs the group of
 * benchmarks that needs them: `npm run bench:clients -- [the options of npm run bench]`.
 */
const BENCH = fileURLToPath(new URL('../main.js', import.meta.url));
const SERVICES: ServiceName[] = ['postgresql', 'mariadb'];

const instances: Instance[] = [];
const env = { ...process.env };
try {
  for (const service of SERVICES) {
    const variable = URL_VARIABLES[service];
    if (env[variable]) continue;
    const instance = await createInstance(service);
    if (typeof instance === 'string') {
      console.error(`without ${service}: ${instance}`);
      continue;
    }
    instances.push(instance);
    env[variable] = instance.url;
  }
  const bench = spawn(process.execPath, [BENCH, 'clients', ...process.argv.slice(2)], {
    env,
    stdio: 'inherit',
  });
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  for (const instance of instances) await instance.stop();
}
