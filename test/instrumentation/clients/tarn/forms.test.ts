import { describeForms } from '../../matrix/suite.ts';
import { tarnForms } from './forms.ts';

describeForms(tarnForms);
