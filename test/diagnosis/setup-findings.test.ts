import assert from 'node:assert/strict';

import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { counts, FINDINGS } from '../../src/diagnosis/finding.ts';
import type { SetupFact } from '../../src/diagnosis/record.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { frames, observation, run } from './support.ts';

describe('the findings of a set-up', () => {
  it('puts what keeps spans from arriving below losses, and other faults of the set-up above', () => {
    const facts: SetupFact[] = [
      { fault: 'no-collector', target: 'h:4318', reason: 'ECONNREFUSED', count: 9 },
      { fault: 'export-fails', target: 'h:4318', reason: '404', count: 9 },
      { fault: 'version', package: 'x', version: '1.0.0', expected: '2' },
    ];
    const observations = [observation(), observation({ anchored: false, owners: {} })];
    const found = diagnose(run({ observations, facts }), BARE_SURROUNDINGS);
    assert.deepEqual(
      found.map(({ name, certainty }) => `${name} ${certainty}`),
      [
        'CLEW-SETUP-VERSION proven',
        'CLEW-LOST-QUEUE proven',
        'CLEW-SETUP-NO-COLLECTOR proven',
        'CLEW-SETUP-EXPORT-FAILS proven',
        'CLEW-LOST-QUEUE possible',
      ],
    );
  });

  it('is not sure that a missing collector is a fault where the address is only the default', () => {
    const fact = { fault: 'no-collector', target: 'h:4318', reason: 'ECONNREFUSED', count: 9 };
    const [given, byDefault] = [false, true].map((isDefault) => {
      const [finding] = diagnose(
        run({ facts: [{ ...fact, isDefault } as SetupFact] }),
        BARE_SURROUNDINGS,
      );
      assert.ok(finding);
      return finding;
    });
    assert.deepEqual(
      [given, byDefault].map((one) => one && counts(one, false)),
      [true, false],
    );
    assert.ok(byDefault && counts(byDefault, true));
    assert.match(byDefault.summary, /takes spans at the default address h:4318: ECONNREFUSED$/);
    assert.match(given?.summary ?? '', /takes spans at h:4318: ECONNREFUSED$/);
  });

  it('puts each fault of a set-up into words under its own name', () => {
    const facts: SetupFact[] = [
      {
        fault: 'loaded-early',
        package: 'pg',
        instrumentation: 'i-pg',
        stack: frames('/app/a.js:1'),
      },
      { fault: 'api-copies', copies: [{ path: '/x', version: '1.4.0', works: false }] },
      { fault: 'second-provider', what: 'a tracer provider', stack: [] },
      { fault: 'esm-hook', packages: ['pg'], entry: '/app/a.mjs' },
      { fault: 'export-fails', target: 'h:4318', reason: '404', count: 2 },
      { fault: 'no-collector', target: 'h:4318', reason: 'ECONNREFUSED', count: 2 },
      { fault: 'bundled', entry: 'dist/app.js', packages: ['pg'] },
      { fault: 'version', package: 'x', version: '1.0.0', expected: '2' },
    ];
    const names = diagnose(run({ facts }), BARE_SURROUNDINGS).map(({ name }) => name);
    const setup = Object.keys(FINDINGS).filter((name) => name.startsWith('CLEW-SETUP-'));
    assert.deepEqual(names.toSorted(), setup.toSorted());
  });
});
