import callbacks from 'mariadb/callback';
import promises from 'mariadb';

import type { FormSuite } from '../../matrix/form.ts';
import { callbackSettings } from './callback-forms.ts';
import { promiseSettings } from './promise-forms.ts';

export const mariadbForms: FormSuite = {
  client: 'mariadb',
  service: 'mariadb',
  // The newest version is an ES module, which was imported before; both share their files.
  instrument: (instrument) => [promises, callbacks].forEach((one) => instrument(one)),
  settings: [...promiseSettings, ...callbackSettings],
};
