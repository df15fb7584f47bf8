import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError } from './describe.ts';
import { patchClient } from './source.ts';

export const memcached: ClientDefinition = {
  name: 'memcached',
  responses: { describeError },
  modules: [{ module: 'memcached', versions: '>=2.2.0 <3', patch: patchPackage }],
};

function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const Client = defaultOf(exports);
  return typeof Client?.prototype?.rawDataReceived === 'function'
    ? patchClient(Client, recorder)
    : undefined;
}
