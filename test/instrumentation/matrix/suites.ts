import type { FormSuite } from './form.ts';

/**
 * The forms of every client. They are imported only when asked for, so that an instrumentation can
 * be enabled before the client is loaded.
 */
export const SUITES: Readonly<Record<string, () => Promise<FormSuite>>> = {
  pg: async () => (await import('../clients/pg/forms.ts')).pgForms,
  mysql2: async () => (await import('../clients/mysql2/forms.ts')).mysql2Forms,
  ioredis: async () => (await import('../clients/ioredis/forms.ts')).ioredisForms,
  redis: async () => (await import('../clients/redis/forms.ts')).redisForms,
  mongodb: async () => (await import('../clients/mongodb/forms.ts')).mongodbForms,
};
