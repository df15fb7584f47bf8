import type { FrameworkDefinition } from '../framework.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import { followInstances, patchErrorHandlers } from './source.ts';
import type { ErrorHandlers } from './library-types.ts';

const VERSIONS = '>=4 <6';

/** `fastify`, by the channel on which it publishes its instances. */
export const fastify: FrameworkDefinition = {
  name: 'fastify',
  follow: () => followInstances(VERSIONS),
  modules: [
    {
      module: 'fastify/lib/error-handler',
      versions: VERSIONS,
      patch: (exports: ModuleExports) => patchErrorHandlers(exports as ErrorHandlers),
    },
  ],
};
