import assert from 'node:assert/strict';

import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { requireService } from '../../support/services.ts';
import { watchOperations } from '../support/operations.ts';
import { registerTelemetry } from '../support/telemetry.ts';
import type { FormSuite } from './form.ts';
import { instrumentSuite, type InstrumentedSuite } from './instrumented-suite.ts';
import { expectedStatements } from './statements.ts';
import { CALLERS, tryForm } from './trial.ts';

/**
 * Tests every form of a client: own context everywhere, and exactly the spans it should have, each
 * with its name and text. With `exports` the client is one that was installed under another name, and is instrumented by hand.
 */
export function describeForms(suite: FormSuite, version = '', exports: object[] = []): void {
  describe(`${suite.client}${version}: every API form keeps its caller`, () => {
    const statements = expectedStatements(suite, version);
    let url = '';
    let instrumented: InstrumentedSuite | undefined;

    before(async function () {
      this.timeout(120_000);
      if (suite.service) url = await requireService(this, suite.service);
      instrumented = instrumentSuite(suite, exports);
      // Callers without a span have their operations seen, too.
      instrumented.configure({ requireParent: false });
    });

    after(() => {
      instrumented?.undo();
      statements.write();
    });

    for (const setting of suite.settings) {
      for (const form of setting.forms) {
        it(`keeps three callers apart: ${setting.name}, ${form.name}`, async () => {
          for (const span of ['sampled span', 'unsampled span', 'no span'] as const) {
            // OpenTelemetry's manager and this package's, which is more particular about the end
            // of an async resource, take turns.
            const manager =
              span === 'no span'
                ? new AsyncLocalStorageContextManager()
                : new AsyncHooksContextManager();
            const telemetry = registerTelemetry(manager);
            const operations = watchOperations();
            const trial = await tryForm(setting, form, url, telemetry, span);
            const unended = await operations.unended();
            assert.equal(trial.failure, undefined);
            assert.deepEqual(
              trial.places.filter(({ context }) => context !== 'own'),
              [],
            );
            for (const name of CALLERS) {
              assert.ok(trial.places.some(({ caller }) => caller === name));
            }
            assert.equal(trial.spans, trial.expectedSpans);
            assert.equal(trial.misplacedSpans, 0);
            assert.equal(trial.indirectSpans, 0);
            assert.deepEqual(telemetry.openSpans(), []);
            if (!form.forgets) assert.deepEqual(unended, []);
            if (span !== 'unsampled span') statements.check(setting, form, trial.statements);
          }
        });
      }
    }
  });
}
