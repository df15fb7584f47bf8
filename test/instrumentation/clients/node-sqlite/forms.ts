import type { Form, FormSuite } from '../../matrix/form.ts';
import { synchronousForms, withNumbers, type SynchronousDatabase } from '../sqlite/forms.ts';

/** The module; `undefined` on Nodes without it. */
export interface NodeSqlite {
  DatabaseSync: new (file: string) => SynchronousDatabase & {
    createTagStore?(): Record<'get' | 'all' | 'run' | 'iterate', Tag>;
  };
}
type Tag = (strings: TemplateStringsArray, ...values: unknown[]) => Iterable<unknown>;

export const nodeSqlite: NodeSqlite | undefined = process.getBuiltinModule?.('node:sqlite') as
  NodeSqlite | undefined;

const tagForms: Form<SynchronousDatabase>[] = [
  {
    name: 'tagged statements',
    operations: 3,
    run: async (db, note) => {
      const sql = (db as InstanceType<NodeSqlite['DatabaseSync']>).createTagStore!();
      void sql.get`select ${1} as n`;
      note('get');
      void sql.all`select ${2} as n`;
      note('all');
      for (const row of sql.iterate`select ${3} as n`) note(typeof row);
      note('after the loop');
    },
  },
];

const hasTags = nodeSqlite !== undefined && 'createTagStore' in nodeSqlite.DatabaseSync.prototype;

export const nodeSqliteForms: FormSuite = {
  client: 'node:sqlite',
  instrument: (instrument) => instrument(nodeSqlite),
  settings: nodeSqlite
    ? [
        {
          name: 'one database',
          open: async () => {
            const target = withNumbers(new nodeSqlite.DatabaseSync(':memory:'));
            return { target, close: async () => target.close() };
          },
          forms: [...synchronousForms, ...(hasTags ? tagForms : [])],
        },
      ]
    : [],
};
