import { memcached } from '../../../../src/instrumentation/clients/memcached/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { memcachedForms } from './forms.ts';

describeOptions(memcachedForms, { responses: memcached.responses });
