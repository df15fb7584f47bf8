import { nodeSqlite } from '../../../../src/instrumentation/clients/node-sqlite/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { nodeSqliteForms } from './forms.ts';

describeOptions(nodeSqliteForms, { responses: nodeSqlite.responses });
