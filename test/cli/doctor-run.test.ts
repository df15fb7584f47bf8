import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runDoctor } from '../../src/cli/doctor-run.ts';

describe('clew doctor', function () {
  this.timeout(120_000);

  it('has every client make the spans that lost their parent, unless it is configured otherwise', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-doctor-test-'));
    try {
      const app = join(folder, 'app.cjs');
      writeFileSync(app, `process.exit(process.env.CLEW_REQUIRE_PARENT === 'false' ? 3 : 4);`);
      const codeWith = async (env?: Record<string, string>): Promise<number | null> =>
        (await runDoctor({ program: [app], stdout: 'ignore', env })).code;
      assert.equal(await codeWith(), 3);
      assert.equal(await codeWith({ CLEW_REQUIRE_PARENT: 'true' }), 4);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
