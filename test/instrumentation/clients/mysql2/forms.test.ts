import { describeForms } from '../../matrix/suite.ts';
import { mysql2Forms } from './forms.ts';

describeForms(mysql2Forms);
