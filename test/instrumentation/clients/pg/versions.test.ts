import { createRequire } from 'node:module';

import Cursor from 'pg-cursor';

import { describeForms } from '../../matrix/suite.ts';
import { pgForms, pgSettings, type PgModule } from './forms.ts';

// The newest version is what the other tests use.
const oldest = createRequire(import.meta.url)('pg-8.0') as PgModule;

describeForms({ ...pgForms, settings: pgSettings(oldest) }, ' 8.0.3', [oldest, Cursor]);
