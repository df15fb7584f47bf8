import assert from 'node:assert/strict';

import { KINDS, run } from './support/run.ts';
import { GRAPHQL } from './support/subjects.ts';

const ask = (query: string, operationName?: string) => ({
  method: 'POST',
  path: '/graphql',
  body: JSON.stringify({ query, ...(operationName && { operationName }) }),
});

describe('operations of GraphQL over HTTP', function () {
  this.timeout(120_000);

  const asked = [
    { ...ask('query GetUser { user(id: "7") }'), times: 3 },
    ask('{ user(id: "7") }'),
    ask('mutation Add { add }'),
    ask('query One { user } mutation Two { add }', 'Two'),
    ask('query Fails { fails }'),
    ask('query Broken { nothing }'),
  ];

  for (const subject of GRAPHQL) {
    const name = subject.application === 'yoga.cjs' ? 'POST /graphql' : 'POST';
    for (const kind of KINDS) {
      it(`are on the spans of requests, of ${kind}s with ${subject.title}`, async () => {
        const { answers, stderr } = await run(subject, { kind, asked });
        assert.doesNotMatch(stderr ?? '', /is not instrumented/);
        const found = answers.map(({ span, inContext, astray }) => [
          span?.name,
          span?.attributes['graphql.operation.name'],
          span?.attributes['graphql.operation.type'],
          span?.exceptions,
          inContext,
          astray,
        ]);
        const user = [name, 'GetUser', 'query', [], ['user'], []];
        assert.deepEqual(found, [
          user,
          user,
          user,
          [name, undefined, 'query', [], ['user'], []],
          [name, 'Add', 'mutation', [], [], []],
          [name, 'Two', 'mutation', [], [], []],
          [name, 'Fails', 'query', ['TypeError'], [], []],
          // What is not valid is not executed.
          [name, undefined, undefined, [], [], []],
        ]);
      });
    }

    it(`leave the application as it is, with ${subject.title}`, async () => {
      const bare = await run(subject, { asked, isBare: true });
      const observed = await run(subject, { asked });
      const seen = ({ answers }: typeof bare): unknown =>
        answers.map(({ status, body }) => [status, body]);
      assert.deepEqual(seen(observed), seen(bare));
    });
  }
});
