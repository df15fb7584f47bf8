import { pg } from '../../../../src/instrumentation/clients/pg/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { pgForms } from './forms.ts';

// Prepared statements are known by their text, and objects of the application are left alone.
describeOptions(pgForms, {
  responses: pg.responses,
  uncommented: /prepared|Query |cursor|query stream/,
});
