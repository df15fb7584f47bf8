import { fileURLToPath, pathToFileURL } from 'node:url';

import { REGISTER_PATH, REGISTER_URL } from '../support/run-node.ts';

/** Loaded after clew: runs the main program in an active context. */
const ACTIVE = fileURLToPath(new URL('../../../test/foreign/active-context.cjs', import.meta.url));
const ACTIVE_URL = pathToFileURL(ACTIVE).href;

/** How a foreign test is started; the options reach the processes it starts, too. */
export interface Mode {
  name: string;
  nodeOptions: readonly string[];
}

export const BARE: Mode = { name: 'bare', nodeOptions: [] };

/** A way to start it under clew, beside the same without clew. */
export interface PreloadMode extends Mode {
  /** Everything but clew: what fails here, too, is the fault of any preload or any store. */
  control: Mode;
}

export const PRELOADS: readonly PreloadMode[] = [
  {
    name: '--import',
    nodeOptions: [`--import=${REGISTER_URL}`, `--import=${ACTIVE_URL}`],
    control: { name: '--import without clew', nodeOptions: [`--import=${ACTIVE_URL}`] },
  },
  {
    name: '--require',
    nodeOptions: [`--require=${REGISTER_PATH}`, `--require=${ACTIVE}`],
    control: { name: '--require without clew', nodeOptions: [`--require=${ACTIVE}`] },
  },
];
