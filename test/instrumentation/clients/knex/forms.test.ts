import { describeForms } from '../../matrix/suite.ts';
import { knexForms } from './forms.ts';

describeForms(knexForms);
