import assert from 'node:assert/strict';

import { sectionsOf } from './support/page.ts';
import { Project } from './support/project.ts';

describe('docs/concepts.md', function () {
  this.timeout(120_000);

  it('has programs that print what it shows', async () => {
    const found = sectionsOf('docs/concepts.md').filter(({ blocks }) =>
      blocks.some(({ file }) => file !== undefined),
    );
    assert.ok(found.length > 2);
    for (const { title, blocks } of found) {
      const [program, command, printed, ...more] = blocks;
      assert.ok(program && command && printed && more.length === 0, title);
      const project = new Project([program]);
      try {
        const running = project.run(command.text, { OTEL_TRACES_EXPORTER: 'none' });
        const { stdout, stderr, code } = await running.result();
        assert.equal(stdout.trim(), printed.text, title + stderr);
        assert.equal(code, 0, title);
      } finally {
        project.remove();
      }
    }
  });
});
