import { describeForms } from '../../matrix/suite.ts';
import { lruMemoizerForms } from './forms.ts';

describeForms(lruMemoizerForms);
