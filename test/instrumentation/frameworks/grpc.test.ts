import assert from 'node:assert/strict';

import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';

import { KINDS, run } from './support/run.ts';
import { GRPC } from './support/subjects.ts';

/** A span of a call, as the application shows it. */
interface Call {
  name: string;
  kind: SpanKind;
  code: SpanStatusCode;
  trace: string;
  id: string;
  parent: string | undefined;
  attributes: Attributes;
  exceptions: string[];
}

const SERVICE = 'shop.v1.Orders/';
const { ERROR, UNSET } = SpanStatusCode;

/** The method, its status, whether server and client have failed, exceptions, and what ran where. */
type Row = readonly [
  method: string,
  status: string,
  server: SpanStatusCode,
  exceptions: readonly string[],
  inContext: readonly string[],
];
const rows: readonly Row[] = [
  ['Get', 'OK', UNSET, [], ['Get', 'answer']],
  ['Miss', 'NOT_FOUND', UNSET, [], ['answer']],
  ['Fail', 'UNKNOWN', ERROR, ['TypeError'], ['answer']],
  ['Upload', 'OK', UNSET, [], ['data', 'end', 'answer']],
  ['List', 'OK', UNSET, [], ['row', 'row', 'answer']],
  ['Chat', 'OK', UNSET, [], ['data', 'answer']],
  ['Break', 'UNKNOWN', ERROR, ['TypeError'], ['answer']],
  ['Nothing', 'UNIMPLEMENTED', ERROR, [], ['answer']],
];

describe('calls of gRPC', function () {
  this.timeout(120_000);

  for (const subject of GRPC) {
    for (const kind of KINDS) {
      it(`have one span on each side, of ${kind}s with ${subject.title}`, async () => {
        const asked = rows.map(([method]) => ({ path: `/${method}`, times: 3 }));
        const { answers, looks } = await run(subject, { kind, asked });
        const calls = looks as Call[];
        assert.equal(answers.length, 3 * rows.length);
        for (const [index, answer] of answers.entries()) {
          const [method, status, code, exceptions, inContext] = rows[Math.floor(index / 3)]!;
          assert.deepEqual(answer.astray, [], method);
          assert.deepEqual(answer.inContext, inContext, method);
          const id = String(index + 1).padStart(32, '0');
          const mine = calls.filter(({ trace }) => trace === id);
          const client = mine.find((call) => call.kind === SpanKind.CLIENT);
          const server = mine.find((call) => call.kind === SpanKind.SERVER);
          assert.equal(mine.length, 2, method);
          assert.equal(client?.name, SERVICE + method);
          assert.equal(client.attributes['rpc.response.status_code'], status);
          assert.equal(client.code, status === 'OK' ? UNSET : ERROR);
          assert.equal(client.attributes['error.type'], status === 'OK' ? undefined : status);
          assert.equal(server?.parent, client.id);
          const isKnown = method !== 'Nothing';
          assert.equal(server.name, isKnown ? SERVICE + method : 'grpc');
          assert.equal(server.attributes['rpc.method'], isKnown ? SERVICE + method : '_OTHER');
          assert.equal(server.attributes['rpc.response.status_code'], status);
          assert.equal(server.code, code);
          assert.deepEqual(server.exceptions, exceptions);
          assert.equal(
            server.attributes['error.type'],
            code === UNSET ? undefined : (exceptions[0] ?? status),
          );
        }
        const get = calls.find(
          ({ name, kind: side }) => side === SpanKind.SERVER && /Get/.test(name),
        );
        assert.equal(get?.attributes['code.function.name'], 'getOrder');
      });
    }

    it(`leave the application as it is, with ${subject.title}`, async () => {
      const asked = [...rows.map(([method]) => method), 'Wait'].map((method) => ({
        path: `/${method}`,
      }));
      const seen = ({ answers }: Awaited<ReturnType<typeof run>>): unknown =>
        answers.map(({ status, body }) => [status, body]);
      const bare = await run(subject, { asked, isBare: true });
      const observed = await run(subject, { asked });
      assert.deepEqual(seen(observed), seen(bare));
      const wait = (observed.looks as Call[]).find(
        ({ kind, name }) => kind === SpanKind.SERVER && /Wait/.test(name),
      );
      // The deadline has passed, of which the server hears as a cancellation or by its own clock.
      assert.match(
        String(wait?.attributes['rpc.response.status_code']),
        /^(?:CANCELLED|DEADLINE_EXCEEDED)$/,
      );
    });
  }
});
