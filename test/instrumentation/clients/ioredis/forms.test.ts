import { describeForms } from '../../matrix/suite.ts';
import { ioredisForms } from './forms.ts';

describeForms(ioredisForms);
