import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bundlePage, weightOfPage } from '../support/bundle-page.ts';

describe('the files of the page', function () {
  this.timeout(120_000);
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clew-page-'));
    await bundlePage(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('weigh less than 120 kB together', () => {
    const bytes = weightOfPage(folder);
    assert.ok(bytes < 120_000, `${bytes} bytes`);
  });

  it('name no other place, and nothing that a strict policy refuses', () => {
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const script = readFileSync(join(folder, 'page.js'), 'utf8');
    const styles = readFileSync(join(folder, 'page.css'), 'utf8');
    assert.doesNotMatch(html, /<style|style=|<script(?![^>]*\bsrc=)|\bon\w+=/);
    for (const text of [html, script, styles]) {
      // Namespaces of SVG and MathML are names, not addresses.
      const places = text.match(/\bhttps?:\/\/(?!www\.w3\.org\/)[^"'`\s]+/g) ?? [];
      assert.deepEqual(places, []);
    }
    assert.doesNotMatch(script, /\beval\(|new Function\(|innerHTML=(?!\w+\b)/);
    assert.doesNotMatch(script, /<\/script/i);
  });
});
