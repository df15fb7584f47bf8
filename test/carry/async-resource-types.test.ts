import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';

import { declareType, roleOfType } from '../../src/carry/async-resource-types.ts';
import { bindListener } from '../../src/instrumentation/bind-listener.ts';
import { patchListeners } from '../../src/instrumentation/listeners.ts';
import { enableRules } from '../../src/instrumentation/rules/index.ts';
import { wrap } from '../../src/instrumentation/wrap.ts';
import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import type { AsyncTrace } from '../../src/tracer/record.ts';
import { LineWriter, parseLines } from '../../src/tracer/recording/format.ts';
import { shape } from '../../src/tracer/shape.ts';
import { as, Pool } from '../instrumentation/wrap/support.ts';

/** What listeners of clients and rules are kept with, and one operation to compare. */
function work(): () => void {
  class Emitter extends EventEmitter {}
  class Client extends EventEmitter {}
  const undos = [
    ...['pg', 'pg-pool', 'mysql2', 'mariadb', 'my-library'].map((module) =>
      wrap(new Emitter(), { kind: 'emitter', module }),
    ),
    patchListeners(Client.prototype),
    enableRules(),
  ];
  for (const module of ['pg', 'my-library']) {
    const emitter = new Emitter();
    undos.push(wrap(emitter, { kind: 'emitter', module }));
    as('A', () => emitter.on('event', () => undefined));
    setImmediate(() => emitter.emit('event'));
  }
  as('A', () => {
    new Client().on('event', () => undefined);
    for (const type of ['POSTGRES_LISTENER', 'PGLITE_LISTENER', 'MY_LISTENER']) {
      bindListener(type, () => undefined)();
    }
    const stream = new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) });
    stream.write('a');
    stream.write('b');
    const pool = new Pool();
    undos.push(wrap(pool, { kind: 'args', method: 'acquire', module: 'my-pool' }));
    pool.acquire(() => undefined);
    setTimeout(() => pool.release(), 5);
  });
  return () => {
    for (const undo of undos) undo();
  };
}

describe('types of async resources', () => {
  it('are known to the tracer: what keeps a listener is no span, also from a recording', async () => {
    const traces: AsyncTrace[] = [];
    const tracer = new AsyncResourceTracer({ onTrace: (trace) => traces.push(trace) }).start();
    const undo = work();
    await new Promise((resolve) => setTimeout(resolve, 30));
    tracer.flush(true);
    tracer.stop();
    undo();
    const types = new Set(
      traces
        .flatMap(({ records }) => records.map(({ type }) => type))
        .filter((type) => /[a-z]\.|_LISTENER|^pg|my-/.test(type)),
    );
    for (const type of ['pg', 'my-library', 'POSTGRES_LISTENER', 'MY_LISTENER', 'stream.write']) {
      assert.ok(types.has(type), `no ${type} in ${[...types].join(', ')}`);
    }
    const shown = (from: readonly AsyncTrace[]): string[] =>
      from
        .flatMap((trace) => shape(trace).nodes)
        .map(({ record }) => record.type)
        .filter((type) => types.has(type));
    assert.deepEqual(shown(traces), ['my-pool.acquire']);
    const writer = new LineWriter();
    const roles = (from: readonly AsyncTrace[]): unknown[] =>
      from.flatMap(({ records }) =>
        records.map(({ role }) => (role === 'operation' ? undefined : role)),
      );
    const header = { node: '', pid: 1, timeOrigin: 0, program: '', startedAt: 0, level: 'trace' };
    const lines = traces.map((trace) => writer.group(trace));
    const { traces: read } = parseLines((writer.header(header) + lines.join('')).split('\n'));
    assert.deepEqual(roles(read), roles(traces));
  });

  it('that several roles share are those of operations', () => {
    declareType('SHARED_TYPE', 'binding');
    assert.equal(roleOfType('SHARED_TYPE'), 'binding');
    declareType('SHARED_TYPE', 'operation');
    declareType('SHARED_TYPE', 'binding');
    assert.equal(roleOfType('SHARED_TYPE'), 'operation');
    assert.equal(roleOfType('TCPWRAP'), undefined);
  });
});
