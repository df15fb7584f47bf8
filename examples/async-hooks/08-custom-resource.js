// A connection with a queue: answers come when the connection is served, not when they were asked
// for. An AsyncResource per query carries the caller to its callback.
import { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import { name, print } from './lib/print.js';

class Query extends AsyncResource {
  constructor(sql, callback) {
    // The query says itself when it is over: no weak callback is needed for it.
    super('QUERY', { requireManualDestroy: true });
    this.sql = sql;
    this.callback = callback;
  }

  finish(rows) {
    this.runInAsyncScope(this.callback, null, rows);
    this.emitDestroy();
  }
}

class Connection {
  queue = [];
  query(sql, callback) {
    this.queue.push(new Query(sql, callback));
  }
  serve() {
    for (const query of this.queue.splice(0)) query.finish(`rows of ${query.sql}`);
  }
}

const hook = createHook({
  init: (asyncId, type) => type === 'QUERY' && print(`init     QUERY ${name(asyncId)}`),
  before: (asyncId) => print(`before   ${name(asyncId)}`),
  after: (asyncId) => print(`after    ${name(asyncId)}`),
});
const request = new AsyncLocalStorage();
const connection = new Connection();

hook.enable();
for (const user of ['Ada', 'Bob']) {
  request.run(user, () => {
    connection.query(`SELECT '${user}'`, (rows) => {
      print(`         ${rows} for ${request.getStore()}, in ${name(executionAsyncId())}`);
    });
  });
}
// One turn of the connection serves both callers, and neither gets the other's context.
connection.serve();
hook.disable();
