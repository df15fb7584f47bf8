import { sqlite3 } from '../../../../src/instrumentation/clients/sqlite3/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { sqlite3Forms } from './forms.ts';

describeOptions(sqlite3Forms, { responses: sqlite3.responses });
