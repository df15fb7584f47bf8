import assert from 'node:assert/strict';

import { SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import type { ClientConfig } from '../../../src/instrumentation/index.ts';
import type { Operation, Responses } from '../../../src/instrumentation/operation.ts';
import { requireService } from '../../support/services.ts';
import { COMMENTING_CLIENTS, WAITING_CLIENTS } from '../options/table.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';
import type { Form, FormSuite, Setting } from './form.ts';
import { instrumentSuite, type InstrumentedSuite } from './instrumented-suite.ts';
import { tryForm, type CallerSpan, type Trial } from './trial.ts';

/** What of the options a client has, beside those that every client has. */
export interface OptionsOfClient {
  /** What it knows about its results. */
  responses?: Responses;
  /** The forms in which a statement gets no comment, where it writes comments at all. */
  uncommented?: RegExp;
  /** Where nothing waits for a pool, of a client whose pools may be waited for. */
  hasNoPool?: boolean;
}

const SANITISED = 'sanitised by the test';
const MAX_LENGTH = 7;

/** Tests that each option of the configuration holds in every form of a client. */
export function describeOptions(suite: FormSuite, options: OptionsOfClient = {}): void {
  describe(`${suite.client}: every option holds in every API form`, () => {
    let url = '';
    let instrumented: InstrumentedSuite | undefined;
    /** Gathered by the tests of forms, and looked at after them: nested suites run in their order. */
    const commented = new Map<string, boolean>();
    const acquired = new Map<string, Set<string>>();

    before(async function () {
      this.timeout(120_000);
      if (suite.service) url = await requireService(this, suite.service);
      instrumented = instrumentSuite(suite);
    });
    after(() => instrumented?.undo());

    /** Lets three callers use `form` under `config`, each keeping its own context. */
    const run = async (
      setting: Setting<unknown>,
      form: Form<unknown>,
      config: ClientConfig,
      span: CallerSpan = 'sampled span',
    ): Promise<Trial & { telemetry: Telemetry; all: ReadableSpan[]; own: ReadableSpan[] }> => {
      instrumented!.configure(config);
      const telemetry = registerTelemetry();
      const trial = await tryForm(setting, form, url, telemetry, span);
      assert.equal(trial.failure, undefined);
      assert.deepEqual(
        trial.places.filter(({ context }) => context !== 'own'),
        [],
      );
      const all = telemetry.spans();
      return { ...trial, telemetry, all, own: all.filter(isOperation) };
    };

    for (const setting of suite.settings) {
      const names = new Set<string>();
      acquired.set(setting.name, names);

      for (const form of setting.forms) {
        describe(`${setting.name}, ${form.name}`, () => {
          it('requireParent: no span outside of a span, none of a wait either', async () => {
            const config = { requireParent: true, acquireSpans: true };
            const { all } = await run(setting, form, config, 'no span');
            assert.deepEqual(all.map(nameOf), []);
          });

          it('requireParent, acquireSpans: every span inside of a span, in its trace', async () => {
            const config = { requireParent: true, acquireSpans: true };
            const trial = await run(setting, form, config);
            const made = trial.all.map(nameOf).join(', ');
            assert.equal(trial.spans, trial.expectedSpans, made);
            assert.equal(trial.misplacedSpans, 0);
            const traces = new Set(trial.all.filter(isCaller).map(traceOf));
            for (const span of trial.all) assert.ok(traces.has(traceOf(span)), nameOf(span));
            for (const span of trial.all) if (isAcquire(span)) names.add(nameOf(span));
          });

          it('ignore: no span', async () => {
            const { own } = await run(setting, form, { requireParent: false, ignore: () => true });
            assert.deepEqual(own.map(nameOf), []);
          });

          it('maxTextLength: no longer text, and at 0 none; no span of a wait by default', async () => {
            for (const maxTextLength of [MAX_LENGTH, 0]) {
              const { all, own } = await run(setting, form, {
                maxTextLength,
                legacyAttributes: true,
              });
              assert.deepEqual(all.filter(isAcquire).map(nameOf), []);
              for (const { attributes } of own) {
                for (const key of ['db.query.text', 'db.statement']) {
                  const text = attributes[key] as string | undefined;
                  if (maxTextLength === 0) assert.equal(text, undefined);
                  else assert.ok((text?.length ?? 0) <= MAX_LENGTH, text);
                }
              }
            }
          });

          it('the options for the look of a span', async () => {
            const asked = new Map<unknown, Readonly<Operation>>();
            const answered = new Map<unknown, { error?: unknown; result?: unknown }>();
            const inComments = new Set<unknown>();
            const { own } = await run(setting, form, {
              requireParent: false,
              spanName: (_operation, proposed) => `mine, not ${proposed}`,
              sanitizeText: () => SANITISED,
              parameters: [0],
              returnedRows: true,
              legacyAttributes: true,
              sqlCommenter: {
                fields: () => [],
                extract: (context) => context,
                inject: (context, carrier, setter) => {
                  inComments.add(trace.getSpan(context));
                  setter.set(carrier, 'probe', 'probed');
                },
              },
              requestHook: (span, operation) => {
                assert.ok(!asked.has(span), 'the requestHook was called twice');
                asked.set(span, operation);
              },
              responseHook: (span, response) => {
                assert.ok(!answered.has(span), 'the responseHook was called twice');
                answered.set(span, response);
              },
            });
            for (const span of own) {
              const operation = asked.get(span);
              const response = answered.get(span);
              assert.ok(operation, `the requestHook was not called for ${span.name}`);
              assert.ok(response, `the responseHook was not called for ${span.name}`);
              assert.match(span.name, /^mine, not /);
              checkText(span, operation);
              checkParameters(span, operation);
              checkLegacyNames(span);
              checkRows(span, response, options.responses);
              if (operation.text === undefined) continue;
              const key = `${setting.name}, ${form.name}`;
              commented.set(key, (commented.get(key) ?? true) && inComments.has(span));
            }
          });
        });
      }
    }

    describe('in all of them', () => {
      it('acquireSpans: the waits for a pool have one name', () => {
        const all = [...acquired.values()].flatMap((names) => [...names]);
        const waits = WAITING_CLIENTS.some((name) => name === suite.client) && !options.hasNoPool;
        assert.equal(all.length > 0, waits, all.join());
        for (const [setting, names] of acquired) {
          // One of the forms asks for a database that does not exist.
          const existing = [...names].filter((name) => !name.endsWith('/nowhere'));
          assert.ok(existing.length <= 1, `${setting}: ${[...names].join()}`);
          // After where the pool connects to, from its first connection on.
          for (const name of names) assert.match(name, /^acquire (?:127\.0\.0\.1|localhost|\/)/);
        }
      });

      it('sqlCommenter: a comment in every form but those that are known', () => {
        const { uncommented = /^/ } = options;
        const without = [...commented].filter(([, each]) => !each).map(([key]) => key);
        assert.deepEqual(
          without.filter((key) => !uncommented.test(key)),
          [],
        );
        const hasComments = COMMENTING_CLIENTS.some((name) => name === suite.client);
        assert.equal(without.length < commented.size, hasComments);
      });
    });
  });
}

const nameOf = ({ name }: ReadableSpan): string => name;
const traceOf = (span: ReadableSpan): string => span.spanContext().traceId;
const isCaller = ({ name }: ReadableSpan): boolean => name.startsWith('caller ');
const isAcquire = ({ name }: ReadableSpan): boolean => name.startsWith('acquire ');
const isOperation = ({ kind, attributes }: ReadableSpan): boolean =>
  kind === SpanKind.CLIENT || 'db.system.name' in attributes;

function isEmpty(values: unknown): boolean {
  return typeof values !== 'object' || values === null || Object.keys(values).length === 0;
}

function checkText({ attributes }: ReadableSpan, { text, safeText, values }: Operation): void {
  const shown = attributes['db.query.text'];
  if (safeText !== undefined || text === undefined) assert.notEqual(shown, SANITISED);
  else if (isEmpty(values)) assert.equal(shown, SANITISED);
  else assert.ok(typeof shown === 'string' && shown !== SANITISED);
}

function checkParameters({ attributes }: ReadableSpan, { values }: Operation): void {
  const first = Array.isArray(values) ? (values[0] as unknown) : undefined;
  const isShown = 'db.query.parameter.0' in attributes;
  assert.equal(isShown, first !== undefined && !attributes['db.operation.batch.size']);
}

function checkLegacyNames({ attributes }: ReadableSpan): void {
  for (const [today, legacy] of [
    ['db.system.name', 'db.system'],
    ['db.namespace', 'db.name'],
    ['db.query.text', 'db.statement'],
    ['db.operation.name', 'db.operation'],
    ['db.collection.name', 'db.sql.table'],
    ['server.address', 'net.peer.name'],
    ['server.port', 'net.peer.port'],
    ['network.peer.address', 'net.sock.peer.addr'],
    ['network.peer.port', 'net.sock.peer.port'],
  ] as const) {
    assert.deepEqual(attributes[legacy], attributes[today], legacy);
  }
}

function checkRows(
  { attributes }: ReadableSpan,
  { error, result }: { error?: unknown; result?: unknown },
  responses: Responses | undefined,
): void {
  const failed = error !== undefined && error !== null;
  const rows = failed ? undefined : responses?.countRows?.(result);
  assert.equal(attributes['db.response.returned_rows'], rows);
}
