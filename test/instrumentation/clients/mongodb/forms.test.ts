import { describeForms } from '../../matrix/suite.ts';
import { mongodbServerForms, mongodbStandInForms } from './forms.ts';
import { mongooseServerForms, mongooseStandInForms } from './mongoose-forms.ts';

describeForms(mongodbServerForms);
describeForms(mongodbStandInForms, ', where a stand-in has to do');
describeForms(mongooseServerForms, ', by mongoose');
describeForms(mongooseStandInForms, ', by mongoose, where a stand-in has to do');
