import { pglite } from '../../../../src/instrumentation/clients/pglite/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { pgliteForms } from './forms.ts';

describeOptions(pgliteForms, { responses: pglite.responses });
