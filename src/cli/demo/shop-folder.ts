import { packageFolder } from '../../base/own-files.ts';

/** The folder of the shop that the demo runs. */
export const shopFolder: URL = packageFolder('examples/shop/');
