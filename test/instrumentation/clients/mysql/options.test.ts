import { mysql } from '../../../../src/instrumentation/clients/mysql/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { mysqlForms } from './forms.ts';

// Every statement gets a comment.
describeOptions(mysqlForms, { responses: mysql.responses, uncommented: /$^/ });
