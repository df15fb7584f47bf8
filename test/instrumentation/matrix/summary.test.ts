import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { generatedPart } from '../../support/generated-part.ts';
import { summaryOf } from './summary.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** A table without what a formatter does to its columns. */
const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => !/^[| -]+$/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the table of clients in docs/databases.md', () => {
  it('matches the page of all API forms', () => {
    assert.deepEqual(
      cells(generatedPart(read('docs/databases.md'), 'api-forms')),
      cells(summaryOf(read('docs/api-forms.md'))),
      'run `npm run matrix -- --summary`, which makes the table anew from the page',
    );
  });

  it('counts a form as right only where every Node and both modes agree', () => {
    const page = [
      '## a client',
      '',
      '| setting | form | clew: context | clew: spans | official: context | official: spans |',
      '| --- | --- | --- | --- | --- | --- |',
      '| one | x | own | 1 | lost / own | 1, in a wrong trace |',
      '| one | y | own | 2 | own | 0 for 1 |',
    ].join('\n');
    assert.deepEqual(cells(summaryOf(page))[1], ['', '`a client`', '2', '2', '2', '1', '0', '']);
  });

  it('has the columns of dd-trace where it was tried, and none where it does not know the client', () => {
    const page = [
      '## one',
      '',
      '| setting | form | clew: context | clew: spans | dd-trace: context | dd-trace: spans |',
      '| --- | --- | --- | --- | --- | --- |',
      '| one | x | own | 1 | foreign | 1 |',
      '## two',
      '',
      '| setting | form | context | spans |',
      '| --- | --- | --- | --- |',
      '| one | x | own | 1 |',
    ].join('\n');
    const [, one, two] = cells(summaryOf(page));
    assert.deepEqual(one, ['', '`one`', '1', '1', '1', '0', '1', '']);
    assert.deepEqual(two, ['', '`two`', '1', '1', '1', 'none', 'none', '']);
  });
});
