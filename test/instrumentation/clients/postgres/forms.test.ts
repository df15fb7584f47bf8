import { describeForms } from '../../matrix/suite.ts';
import { postgresForms } from './forms.ts';

describeForms(postgresForms);
