import { describeForms } from '../../matrix/suite.ts';
import { genericPoolForms } from './forms.ts';

describeForms(genericPoolForms);
