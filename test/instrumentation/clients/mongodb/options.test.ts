import { describeOptions } from '../../matrix/options.ts';
import { mongodbServerForms, mongodbStandInForms } from './forms.ts';
import { mongooseServerForms } from './mongoose-forms.ts';

describeOptions(mongodbServerForms);

describe('where a stand-in has to do', () => {
  describeOptions(mongodbStandInForms);
});

describe('by mongoose', () => {
  describeOptions(mongooseServerForms);
});
