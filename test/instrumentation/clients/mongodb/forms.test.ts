import { describeForms } from '../../matrix/suite.ts';
import { mongodbForms } from './forms.ts';

describeForms(mongodbForms);
