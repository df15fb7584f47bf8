import * as redis4 from 'redis-4';

import type { FormSuite } from '../../matrix/form.ts';
import { clusterFormsOf, type ClusterPackage } from './cluster-forms.ts';

export const redis4ClusterForms: FormSuite = clusterFormsOf(redis4 as unknown as ClusterPackage);
