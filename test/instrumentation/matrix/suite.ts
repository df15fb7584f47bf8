import assert from 'node:assert/strict';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { registerTelemetry } from '../support/telemetry.ts';
import type { FormSuite } from './form.ts';
import { CALLERS, tryForm } from './trial.ts';

/** Tests every form of a client: own context everywhere, and exactly the spans it should have. */
export function describeForms(suite: FormSuite): void {
  describe(`${suite.client}: every API form keeps its caller`, () => {
    let url = '';
    let instrumentation: Instrumentation;

    before(async function () {
      this.timeout(40_000);
      if (suite.service) url = await requireService(this, suite.service);
      const [own] = getInstrumentations().filter(
        ({ instrumentationName }) => instrumentationName === `clew/${suite.client}`,
      );
      assert.ok(own, `There is no instrumentation for ${suite.client}`);
      instrumentation = own;
      instrumentation.enable();
      suite.instrument?.((exports) => instrumentation.instrument(exports));
    });

    after(() => instrumentation?.disable());

    for (const setting of suite.settings) {
      for (const form of setting.forms) {
        it(`keeps three callers apart: ${setting.name}, ${form.name}`, async () => {
          for (const withSpan of [true, false]) {
            const trial = await tryForm(setting, form, url, registerTelemetry(), withSpan);
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
          }
        });
      }
    }
  });
}
