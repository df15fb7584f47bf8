import type { FrameworkDefinition } from '../framework.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { replaceFunction, type Undo } from '../../../base/patch.ts';
import { patchApplication, type ConnectApplication } from './source.ts';

/** `connect`, whose only routes are the paths that middlewares are used at. */
export const connect: FrameworkDefinition = {
  name: 'connect',
  modules: [{ module: 'connect', versions: '>=3.1.0 <4', patch }],
};

/** What applications share is not exported: each is patched when it is made. */
function patch(
  exports: ModuleExports,
  replace?: (replacement: ModuleExports) => void,
): Undo | undefined {
  const make = defaultOf(exports) as ((...args: unknown[]) => ConnectApplication) | undefined;
  if (typeof make !== 'function' || replace === undefined) return undefined;
  const patches = { isUndone: false };
  const { replacement, undo } = replaceFunction(make, (original) => (...args) => {
    const application = original(...args);
    patchApplication(application, patches);
    return application;
  });
  replace(replacement);
  return () => {
    patches.isUndone = true;
    undo();
  };
}
