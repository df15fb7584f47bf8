import assert from 'node:assert/strict';

import { columnsOf } from '../../src/base/columns.ts';

describe('the width of what a command prints', () => {
  let before: string | undefined;

  beforeEach(() => {
    before = process.env['COLUMNS'];
    delete process.env['COLUMNS'];
  });
  afterEach(() => {
    if (before === undefined) delete process.env['COLUMNS'];
    else process.env['COLUMNS'] = before;
  });

  it("is the terminal's, and 80 columns in a pipe", () => {
    assert.equal(columnsOf({ columns: 100 }), 100);
    assert.equal(columnsOf({ columns: undefined }), 80);
    // A terminal that does not know its width.
    assert.equal(columnsOf({ columns: 0 }), 80);
  });

  it('is that of COLUMNS before all, unless that is no width', () => {
    process.env['COLUMNS'] = '120';
    assert.deepEqual([columnsOf({ columns: 100 }), columnsOf({})], [120, 120]);
    for (const text of ['', '0', '-5', '1e3', 'wide', '012', '999999']) {
      process.env['COLUMNS'] = text;
      assert.equal(columnsOf({}), 80, text);
    }
  });

  it('is within what can be laid out and read', () => {
    assert.deepEqual([columnsOf({ columns: 35 }), columnsOf({ columns: 36 })], [36, 36]);
    assert.deepEqual([columnsOf({ columns: 160 }), columnsOf({ columns: 161 })], [160, 160]);
  });
});
