import { describeForms } from '../../matrix/suite.ts';
import { mysqlForms } from './forms.ts';

describeForms(mysqlForms);
