import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';

import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { FINDINGS, type Report } from '../../src/diagnosis/finding.ts';
import { mergeReports } from '../../src/diagnosis/merge-reports.ts';
import { reportText } from '../../src/diagnosis/report-text.ts';
import { findingsSchema, SCHEMA_ID } from '../../src/diagnosis/schema.ts';
import { BARE_SURROUNDINGS } from '../../src/diagnosis/surroundings.ts';
import { A, B, frames, observation, run } from './support.ts';

const SURROUNDINGS = {
  ...BARE_SURROUNDINGS,
  sourceLine: () => 'pool.query(sql, (error, rows) => res.end(rows));',
  source: () =>
    `app.get(url, (req, res) => {\n  pool.query(sql, () => {\n${'    res.end();\n'.repeat(20)}`,
  pathsTo: () => ['Pool#query'],
};
const long = `/app/${'a-long-folder-name/'.repeat(8)}routes.js:14`;

function report(): Report {
  const { requests, routes, spans, millis, dropped, ...given } = run({
    observations: [
      observation({ count: 31, brokenSpans: 31, owners: { 'GET /orders': 31 } }),
      observation({ kind: 'mixed', seen: B, owner: A, stack: frames(long) }),
      observation({ anchored: false, owners: {} }),
      observation({ kind: 'batched', callers: 3 }),
    ],
    facts: [{ fault: 'no-collector', target: 'localhost:4318', reason: 'ECONNREFUSED', count: 9 }],
  });
  const findings = diagnose({ requests, routes, spans, millis, dropped, ...given }, SURROUNDINGS);
  return { $schema: SCHEMA_ID, version: 1, requests, routes, spans, millis, findings, dropped };
}

describe('the report of clew doctor', () => {
  it('fits 80 columns and shows everything of a finding in its order', () => {
    const text = reportText(report(), { folder: '/app' });
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(
      text,
      /^clew doctor {4}312 requests · 1904 spans · 41 s\n3 causes explain 32 broken spans\n/,
    );
    const lost = text.slice(text.indexOf('LOST 31'));
    assert.match(
      lost,
      /^LOST 31 × pg\.query: no request was active +proven\n {3}your code +routes\.js:14 +pool\.query\(sql[^]*ran inside +TCPWRAP #18, created at db\.js:12: no request owns it\n {3}handed over +some-pool\/index\.js:478\n {3}belongs to +GET \/orders \(31 of 31\): each of 31[^]*fix +rule some-pool Pool#query: args +clew fix \d\n {3}or +routes\.js:2: bind the callback of pool\.query\(\)/,
    );
  });

  it('keeps what is only possible and what is good to know apart', () => {
    const text = reportText(report(), { folder: '/app' });
    assert.match(
      text,
      /\nnot sure, and not counted \(--strict shows and counts them\):\n4 {2}CLEW-LOST/,
    );
    assert.match(text, /\nnot broken, but know:\n5 {2}CLEW-BATCHED/);
    assert.match(reportText(report(), { strict: true }), /^4 causes|\n4 causes/);
  });

  it('has colours only where it is configured to', () => {
    const plain = reportText(report());
    const coloured = reportText(report(), { colour: true });
    // oxlint-disable-next-line no-control-regex
    assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, ''), plain);
    assert.notEqual(coloured, plain);
  });

  it('reports that nothing was lost, or that there was nothing to see', () => {
    const empty = { ...report(), findings: [] };
    assert.match(reportText(empty), /\nno context was lost\n$/);
    const nothing = { ...empty, requests: 0, spans: 0 };
    assert.match(reportText(nothing), /\nnothing was seen, which is not a pass: .*traffic\?\n$/);
    const failed = reportText(nothing, { failed: 'with exit code 1' });
    assert.match(failed, /the application failed with exit code 1 before any request\n$/);
    assert.match(reportText({ ...empty, requests: 0 }), /for requests this is not a pass\n$/);
  });

  it('names the file of rules that the doctor applied', () => {
    const applied = { ...report(), rules: '/app/clew.rules.json' };
    assert.match(reportText(applied, { folder: '/app' }), /\nwith the rules of clew\.rules\.json /);
    assert.doesNotMatch(reportText(report(), { folder: '/app' }), /with the rules/);
  });

  it('names all requests that a finding belongs to', () => {
    const owners = { 'GET /a': 2, 'GET /b': 10, 'GET /c': 8 };
    const seen = observation({ kind: 'mixed', spans: [], count: 20, owner: A, seen: B, owners });
    const findings = diagnose(run({ observations: [seen] }), BARE_SURROUNDINGS);
    const text = reportText({ ...report(), findings }, { width: 120 });
    assert.match(text, /MIXED 20 × res\.end\(\) of GET \/b, GET \/c and 1 more in another request/);
    assert.match(text, /belongs to +GET \/b \(10 of 20\), GET \/c \(8\), GET \/a \(2\): each/);
    const merged = mergeReports([
      { ...report(), findings },
      { ...report(), findings: structuredClone(findings) },
    ]);
    const { label, count, others } = merged?.findings[0]?.owner ?? {};
    assert.deepEqual([label, count, others], ['GET /b', 20, { 'GET /c': 16, 'GET /a': 4 }]);
  });

  it('is JSON of the published schema', () => {
    const validate = new Ajv({ allowUnionTypes: true }).compile(findingsSchema());
    const given: unknown = JSON.parse(JSON.stringify(report()));
    assert.ok(validate(given), JSON.stringify(validate.errors));
    const broken = report();
    (broken.findings[0] as unknown as Record<string, unknown>)['certainty'] = 'certain';
    assert.ok(!validate(broken));
  });

  it('has a section of the documentation for each finding', () => {
    const url = new URL('../../../docs/findings.md', import.meta.url);
    const sections = readFileSync(url, 'utf8').match(/(?<=^## ).*$/gm);
    assert.deepEqual(sections, Object.keys(FINDINGS));
  });

  it('has its schema in the package', () => {
    const url = new URL('../../../clew.findings.schema.json', import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(url, 'utf8')), findingsSchema());
  });
});
