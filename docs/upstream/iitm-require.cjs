'use strict';

/* import-in-the-middle alone, registered from a file that is given to `--require`. */

const { register } = require('import-in-the-middle/register-hooks.mjs');

register();
