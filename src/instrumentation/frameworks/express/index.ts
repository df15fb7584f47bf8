import type { FrameworkDefinition } from '../framework.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import { patchRouters } from './source.ts';

/** `express` 4, with the routers that are in it, and 5, with those of `router`. */
export const express: FrameworkDefinition = {
  name: 'express',
  modules: [{ module: 'express', versions: '>=4.16.0 <6', patch: patchExpress }],
};

/** `router` by itself. */
export const router: FrameworkDefinition = {
  name: 'router',
  modules: [{ module: 'router', versions: '>=1.3.0 <3', patch: patchRouter }],
};

function patchExpress(exports: ModuleExports): Undo | undefined {
  const found = defaultOf(exports);
  return patchRouters(found?.Router ?? found);
}

function patchRouter(exports: ModuleExports): Undo | undefined {
  return patchRouters(defaultOf(exports));
}
