import { betterSqlite3 } from '../../../../src/instrumentation/clients/better-sqlite3/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { betterSqlite3Forms } from './forms.ts';

describeOptions(betterSqlite3Forms, { responses: betterSqlite3.responses });
