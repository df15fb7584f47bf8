import { describeForms } from '../../matrix/suite.ts';
import { dataloaderForms } from './forms.ts';

describeForms(dataloaderForms);
