import { nativeModule } from '../../../support/native-modules.ts';
import type { Form, FormSuite, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/** What is used of the module, which has its types only where it is installed. */
export interface Module {
  Database: new (file: string, callback?: (error: Error | null) => void) => Database;
}
type Args = unknown[];
export interface Database {
  run(text: string, ...args: Args): Database;
  get(text: string, ...args: Args): Database;
  all(text: string, ...args: Args): Database;
  each(text: string, ...args: Args): Database;
  map(text: string, ...args: Args): Database;
  exec(text: string, ...args: Args): Database;
  prepare(text: string, ...args: Args): Statement;
  serialize(fn: () => void): void;
  close(callback?: (error: Error | null) => void): void;
  wait(callback: () => void): void;
  on(event: string, listener: (...args: Args) => void): void;
}
export interface Statement {
  run(...args: Args): Statement;
  get(...args: Args): Statement;
  all(...args: Args): Statement;
  each(...args: Args): Statement;
  map(...args: Args): Statement;
  bind(...args: Args): Statement;
  reset(callback: () => void): Statement;
  finalize(callback?: () => void): void;
  on(event: string, listener: (...args: Args) => void): void;
}

const ROWS = 'select 1 as n, 2 as m union select 2, 3';

const simple = (['run', 'get', 'all', 'map'] as const).map((key): Form<Database> => ({
  name: key,
  run: (db, note) => called((done) => db[key](ROWS, noted(note, done))),
}));

const forms: Form<Database>[] = [
  ...simple,
  {
    name: 'values and this',
    run: (db, note) =>
      called((done) =>
        db.run('select ?', 1, function (this: { lastID?: number }) {
          note(`this has ${typeof this.lastID}`);
          done();
        }),
      ),
  },
  {
    name: 'each',
    run: (db, note) => called((done) => db.each(ROWS, () => note('row'), noted(note, done))),
  },
  {
    name: 'each without a callback for the end',
    run: (db, note) =>
      called<[]>((done) => {
        let rows = 0;
        db.each(ROWS, () => {
          note('row');
          rows++;
          // The end comes after the last row, and nobody is told.
          if (rows === 2) setTimeout(done, 20);
        });
      }),
  },
  {
    name: 'exec',
    run: (db, note) => called((done) => db.exec('select 1; select 2', noted(note, done))),
  },
  {
    name: 'without a callback',
    operations: 2,
    run: async (db, note) => {
      db.run('select 1');
      db.exec('select 1');
      await called((done) => db.wait(noted(note, done)));
    },
  },
  {
    name: 'error of a text that cannot be prepared',
    run: (db, note) => called((done) => db.get('select wrong', noted(note, done))),
  },
  {
    name: 'error of a statement',
    run: (db, note) =>
      called((done) => db.run('insert into numbers values (1)', noted(note, done))),
  },
  {
    name: 'error of each',
    run: (db, note) => called((done) => db.each('select wrong', noted(note, done))),
  },
  {
    name: 'prepared statement',
    operations: 3,
    run: async (db, note) => {
      let statement!: Statement;
      await called((done) => {
        statement = db.prepare('select ? as n', noted(note, done));
      });
      await called((done) => statement.all(1, noted(note, done)));
      await called((done) => statement.bind(2, noted(note, done)));
      await called((done) => statement.get(noted(note, done)));
      await called((done) => statement.reset(noted(note, done)));
      await called((done) =>
        statement.each(
          3,
          noted(note, () => undefined),
          noted(note, done),
        ),
      );
      await called((done) => statement.finalize(noted(note, done)));
    },
  },
  {
    name: 'statement that cannot be prepared, and is used',
    forgets: 'sqlite3 drops what was asked of a statement that cannot be prepared',
    run: async (db, note) => {
      await called((done) => {
        const statement = db.prepare('select wrong', noted(note, done));
        statement.run(noted(note, done));
      });
    },
  },
  {
    name: 'serialize',
    operations: 2,
    run: (db, note) =>
      called((done) =>
        db.serialize(() => {
          note('serialized');
          db.run('select 1');
          db.get('select 1', noted(note, done));
        }),
      ),
  },
];

/** A callback that notes where it runs, and hands on. */
function noted(note: Note, done: (...args: never[]) => void): (...args: unknown[]) => void {
  return (...args) => {
    note('callback');
    (done as (...args: unknown[]) => void)(...args);
  };
}

const opening: Form<Module>[] = [
  {
    name: 'open, query at once, close',
    run: async ({ Database }, note) => {
      let db!: Database;
      const opened = called((done) => {
        db = new Database(':memory:', noted(note, done));
      });
      await called((done) => db.get('select 1', noted(note, done)));
      await opened;
      await called((done) => db.close(noted(note, done)));
    },
  },
  {
    name: 'open that fails',
    operations: 0,
    run: ({ Database }, note) =>
      called((done) => void new Database('/nowhere/at/all.db', noted(note, done))),
  },
];

/** The forms with the version that `load` finds. */
export function formsOf(load: () => Module): FormSuite {
  return {
    client: 'sqlite3',
    settings: [
      {
        name: 'one database',
        open: async () => {
          const target = new (load().Database)(':memory:');
          await called((done) =>
            target.exec('create table numbers (n unique); insert into numbers values (1)', done),
          );
          return { target, close: () => called((done) => target.close(done)) };
        },
        forms,
      },
      {
        name: 'a database each',
        open: async () => ({ target: load(), close: async () => undefined }),
        forms: opening,
      },
    ],
  };
}

/** The newest version, of which one build serves every Node. */
export const NEWEST = { name: 'sqlite3', version: '6.0.1', isNapi: true };

export const sqlite3Forms: FormSuite = formsOf(() => {
  const require = nativeModule(NEWEST);
  if (typeof require === 'string') throw new Error(require);
  return require('sqlite3') as Module;
});
