import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MODULES } from '../support/modules.ts';
import { Project } from './project.ts';

/** Lets one request in at a time: it keeps what calls the next handler. */
const GATE = `
module.exports = function gate() {
  const waiting = [];
  let isBusy = false;
  const enter = (res, next) => {
    isBusy = true;
    res.on('close', () => {
      isBusy = false;
      const first = waiting.shift();
      if (first) enter(first.res, first.next);
    });
    next(); // hands over
  };
  return (req, res, next) => (isBusy ? waiting.push({ res, next }) : enter(res, next));
};`;
const APP = `
const http = require('node:http');
const express = require('express');
const gate = require('one-gate');
const app = express();
app.use(gate());
app.get('/later/:id', async (req, res) => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  res.json({ id: req.params.id }); // later: yours
});
app.get('/now', (req, res) => {
  res.send('now'); // now: yours
});
const server = app.listen(0, '127.0.0.1', async () => {
  const get = (path) =>
    new Promise((resolve) => {
      const options = { port: server.address().port, host: '127.0.0.1', path, agent: false };
      http.get(options, (res) => res.resume().on('end', resolve));
    });
  for (let round = 0; round < 3; round++)
    await Promise.all(['/later/1', '/later/2', '/now', '/later/3', '/now'].map(get));
  server.close();
});`;

describe('clew doctor of a middleware that keeps requests waiting', function () {
  this.timeout(60_000);
  let project: Project;

  beforeEach(() => {
    project = new Project();
    mkdirSync(project.path('node_modules/one-gate'));
    writeFileSync(project.path('node_modules/one-gate/index.js'), GATE);
    writeFileSync(project.path('node_modules/one-gate/package.json'), '{ "name": "one-gate" }');
    symlinkSync(join(MODULES, 'express'), project.path('node_modules/express'));
    writeFileSync(project.path('app.cjs'), APP);
  });
  afterEach(() => project.remove());

  it('names it, and not the framework that it called, and `clew fix` repairs it', async () => {
    const { report } = await project.doctor('app.cjs');
    const lines = new Set(report.findings.map(({ yourLine }) => yourLine?.line));
    const marks = ['later', 'now'].map((mark) => project.line('app.cjs', `${mark}: yours`));
    assert.deepEqual(lines, new Set(marks));
    for (const { kind, certainty, handOver, fix } of report.findings) {
      assert.deepEqual([kind, certainty], ['mixed', 'proven']);
      assert.equal(handOver?.package, 'one-gate');
      assert.match(handOver.file, /one-gate\/index\.js$/);
      assert.deepEqual(fix.rules[0], { module: 'one-gate', path: 'default()', rule: 'args' });
      assert.match(fix.change?.text ?? '', /^give one-gate a bound function: .*bind\(next\)\)$/);
    }
    const { code, stdout } = await project.clew('fix', '1');
    assert.equal(code, 0, stdout);
    const rules = readFileSync(project.path('clew.rules.json'), 'utf8');
    assert.match(rules, /"one-gate": \{\s*"default\(\)": "args"/);
    const next = await project.doctor('app.cjs');
    assert.deepEqual(next.report.findings, []);
    assert.equal(next.result.code, 0);
  });
});
