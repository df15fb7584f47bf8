import { mariadb } from '../../../../src/instrumentation/clients/mariadb/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { mariadbForms } from './forms.ts';

// What is prepared is known by its text; the last one is never sent.
describeOptions(mariadbForms, {
  responses: mariadb.responses,
  uncommented: /execute|batch|without a server/,
});
