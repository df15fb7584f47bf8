import { describeForms } from '../../matrix/suite.ts';
import { nodeSqlite, nodeSqliteForms } from './forms.ts';

// Before Node 22.5 there is none.
if (nodeSqlite) describeForms(nodeSqliteForms);
