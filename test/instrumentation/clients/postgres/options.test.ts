import { postgres } from '../../../../src/instrumentation/clients/postgres/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { postgresForms } from './forms.ts';

// All other statements are prepared, and known by their text.
describeOptions(postgresForms, {
  responses: postgres.responses,
  uncommented: /^(?!.*(?:unsafe|multi-statement))/,
});
