import { describeBadInput } from '../../support/bad-input.ts';

// Each application starts a database of its own, which takes seconds.
describeBadInput('@electric-sql/pglite', {
  use: "return (await new client.PGlite().query('select 1 as n')).rows;",
});
