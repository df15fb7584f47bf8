import { describeForms } from '../../matrix/suite.ts';
import { pgForms } from './forms.ts';

describeForms(pgForms);
