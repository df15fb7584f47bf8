import { describeForms } from '../../matrix/suite.ts';
import { memcachedForms } from './forms.ts';

describeForms(memcachedForms);
