import { mysql2 } from '../../../../src/instrumentation/clients/mysql2/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { mysql2Forms } from './forms.ts';

// Prepared statements are known by their text.
describeOptions(mysql2Forms, { responses: mysql2.responses, uncommented: /execute/ });
