import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { SpanStatusCode } from '@opentelemetry/api';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { messageOf } from '../../../src/base/errors.ts';
import { requireService } from '../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';
import { describeError } from '../support/differential.ts';
import { ARGUMENTS, Planted, SUITES, type ThrowingSuite } from './throwing/calls.ts';

interface Thrown {
  message: string;
  /** Its class, code and own properties. */
  error: unknown;
  /** Whether it is the very object that an argument threw. */
  planted: boolean;
}

/** What a call threw, as an application may look at it, or `undefined` where it returned. */
async function thrownBy(
  suite: ThrowingSuite,
  method: string,
  args: unknown[],
  url: string,
  require: NodeJS.Require,
  telemetry: Telemetry,
  instrumentation?: Instrumentation,
): Promise<Thrown | undefined> {
  const instrument = (one: object): void => void instrumentation?.instrument(one);
  const { target, close } = await suite.open(url, instrument, require);
  telemetry.reset();
  try {
    const call = target[method] as ((...args: unknown[]) => unknown) | undefined;
    const result = call?.apply(target, args);
    // What is refused later is nobody's business here.
    if (result instanceof Promise) result.catch(() => undefined);
    (result as { on?: (event: string, listener: () => void) => void } | undefined)?.on?.(
      'error',
      () => undefined,
    );
    return undefined;
  } catch (error) {
    const planted = error instanceof Planted;
    return { message: messageOf(error), error: describeError(error), planted };
  } finally {
    // Of what was begun before, some is never answered.
    await Promise.race([
      Promise.resolve(close()).catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 100)),
    ]);
  }
}

/** How a connection of the bare run ends its command by another one, in its own time. */
const KILL = 'KILL';

describe('A call that throws is a failed span, and throws as without us', () => {
  // What the libraries throw later, in their own time, is the same without us.
  const late = ['uncaughtException', 'unhandledRejection'] as const;
  const others = new Map<string, unknown[]>();
  const ignore = (): void => undefined;

  before(() => {
    for (const event of late) {
      others.set(event, process.listeners(event as 'uncaughtException'));
      process.removeAllListeners(event);
      process.on(event, ignore);
    }
  });

  after(() => {
    for (const event of late) {
      process.off(event, ignore);
      for (const listener of others.get(event) ?? []) process.on(event, listener as () => void);
    }
  });

  for (const suite of SUITES) {
    it(`${suite.client}: ${suite.name}`, async function () {
      this.timeout(120_000);
      const url = suite.service ? await requireService(this, suite.service) : '';
      const find = suite.find?.(this) ?? createRequire(import.meta.url);
      const [instrumentation] = getInstrumentations({ all: { requireParent: false } }).filter(
        ({ instrumentationName }) => instrumentationName === `clew/${suite.client}`,
      );
      assert.ok(instrumentation);
      let count = 0;
      for (const method of suite.methods) {
        for (const [name, args] of Object.entries(ARGUMENTS)) {
          if (suite.survives?.(name) === false) continue;
          const bare = await thrownBy(suite, method, args(), url, find, registerTelemetry());
          if (bare === undefined) continue;
          count += 1;
          const telemetry = registerTelemetry();
          instrumentation.enable();
          let ours: Thrown | undefined;
          try {
            ours = await thrownBy(suite, method, args(), url, find, telemetry, instrumentation);
          } finally {
            instrumentation.disable();
          }
          const label = `${method}(${name}), which throws "${bare.message}"`;
          assert.deepEqual(ours, bare, label);
          if (suite.unrecorded?.[method] !== undefined) continue;
          const failed = telemetry
            .spans()
            .filter(({ name, status }) => status.code === SpanStatusCode.ERROR && name !== KILL);
          assert.equal(failed.length, 1, `${failed.length} spans failed by ${label}`);
          assert.equal(failed[0]?.events[0]?.name, 'exception', label);
          assert.ok(failed[0].attributes['error.type'], label);
          const open = telemetry.openSpans().filter((one) => one !== KILL);
          assert.deepEqual(open, [], label);
        }
      }
      assert.equal(count === 0, suite.throwsNothing === true, `${count} calls threw`);
    });
  }
});
