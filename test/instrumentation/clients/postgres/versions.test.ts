import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';

describeForms(formsOf('postgres-3.4'));
