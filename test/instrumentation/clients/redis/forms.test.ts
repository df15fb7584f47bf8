import { describeForms } from '../../matrix/suite.ts';
import { redisForms } from './forms.ts';

describeForms(redisForms);
