import assert from 'node:assert/strict';

import { runApplication } from '../../support/application.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

const USE = `
  const client = new MongoClient(process.env.URL);
  await client.db('test').collection('numbers').findOne({ text: 'secret-value' });
  await client.close();
  const connection = await mongoose.createConnection(process.env.URL, { dbName: 'test' }).asPromise();
  const Thing = connection.model('Thing', new mongoose.Schema({ text: String }, { autoIndex: false, autoCreate: false }), 'things');
  await Thing.find({ text: 'secret-value' });
  await connection.close();
`;

const APPLICATIONS = {
  'an ES module': [
    'module',
    `import { MongoClient } from 'mongodb'; import mongoose from 'mongoose'; ${USE}`,
  ],
  'a CommonJS module': [
    'commonjs',
    `const { MongoClient } = require('mongodb'); const mongoose = require('mongoose');
     (async () => { ${USE} })();`,
  ],
} as const;

describe('MongoDB clients in an application with the preload', function () {
  this.timeout(120_000);
  let server: StandIn;

  before(async () => {
    server = await startStandIn();
  });

  after(() => server.stop());

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`are instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { URL: server.url });
      assert.deepEqual(
        spans.map((span) => span.name),
        ['find numbers', 'find things'],
      );
    });
  }
});
