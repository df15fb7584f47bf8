import { describeForms } from '../../matrix/suite.ts';
import { mariadbForms } from './forms.ts';

describeForms(mariadbForms);
