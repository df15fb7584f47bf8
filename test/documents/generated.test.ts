import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { generatedPart } from '../support/generated-part.ts';
import { apiPage, exportedBy } from './support/api.ts';
import { indexOfDocuments, llmsText, pages } from './support/llms.ts';
import { circleIn, importsOfFolders, layersDiagram } from './support/layers.ts';
import { mcpInputs } from './support/mcp-tools.ts';
import { ROOT } from './support/page.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('the API', () => {
  const exported = ['index.d.ts', 'testing/index.d.ts'].flatMap(exportedBy);

  it('has a comment on every name that is exported', () => {
    assert.ok(exported.length > 40);
    const bare = exported.filter(({ documentation }) => documentation === '');
    assert.deepEqual(
      bare.map(({ name, source }) => `${name} of src/${source}`),
      [],
    );
  });

  it('has a comment on every member that is a number: it may have a unit', () => {
    const bare = exported.flatMap(({ name, bareNumbers }) =>
      bareNumbers.map((member) => `${name}.${member}`),
    );
    assert.deepEqual(bare, []);
  });

  it('shows nothing that is internal', () => {
    for (const { name, declaration, documentation } of exported) {
      assert.doesNotMatch(declaration + documentation, /@internal|#private/, name);
    }
  });

  it('is in docs/api.md as it is declared; `npm run docs:api` writes it', async () => {
    assert.equal(read('docs/api.md'), await apiPage());
  });
});

describe('the index of documents', () => {
  it('lists every page of docs/ once', () => {
    const listed = indexOfDocuments().flatMap(({ entries }) => entries.map(({ path }) => path));
    const inFolder = listed.filter((path) => !path.startsWith('../'));
    assert.deepEqual(inFolder.toSorted(), pages().toSorted());
    for (const path of listed) assert.ok(existsSync(join(ROOT, 'docs', path)), path);
  });

  it('is in llms.txt for programs; `npm run docs:llms` writes it', () => {
    assert.equal(read('llms.txt'), llmsText());
  });
});

describe('the inputs of the tools of clew mcp', () => {
  it('are in docs/viewing.md as their schemas are; `npm run docs:mcp` writes them', () => {
    assert.equal(generatedPart(read('docs/viewing.md'), 'mcp inputs'), mcpInputs());
  });
});

describe('the picture of the layers', () => {
  it('is in docs/architecture.md as the imports are; `npm run docs:architecture` writes it', () => {
    const picture = generatedPart(read('docs/architecture.md'), 'layers');
    assert.equal(picture, layersDiagram(importsOfFolders()));
  });

  it('has no circle, also not of types', () => {
    assert.equal(circleIn(importsOfFolders()), undefined);
  });

  it('would show a circle, and leaves out an arrow that follows from others', () => {
    const of = (folder: string, ...others: string[]): [string, Set<string>] => [
      folder,
      new Set(others),
    ];
    assert.deepEqual(circleIn(new Map([of('a', 'b'), of('b', 'c'), of('c', 'b')])), ['b', 'c']);
    const diagram = layersDiagram(new Map([of('a', 'b', 'c'), of('b', 'c'), of('c')]));
    assert.match(diagram, /a --> b\n {2}b --> c\n```$/);
  });
});
