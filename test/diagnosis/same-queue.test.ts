import assert from 'node:assert/strict';

import { keepings } from '../../src/diagnosis/callee.ts';
import { ofTheSameQueue } from '../../src/diagnosis/same-queue.ts';

/** The lines that keep what is called at `|`. */
function linesOf(marked: string): number[] {
  const text = marked.replace('|', '');
  return ofTheSameQueue(text, keepings(text, undefined), marked.indexOf('|')).map(
    ({ line }) => line,
  );
}

const MAILS = `const mails = [];
function sendMail(to, done) { mails.push({ to, done }); }
function mailNext() { const mail = mails.shift(); if (mail) mail.done(); }
`;
const PRICES = `const asking = new Map();
function price(key, done) {
  const list = asking.get(key);
  if (list) return list.push(done);
  asking.set(key, [done]);
  run(() => { const all = asking.get(key); for (const each of all) each(null, 3); });
}
`;
const lock = (name: string): string => `class ${name} {
  enter(done) { this.waiting.push(done); }
  leave() { const next = this.waiting.shift(); if (next) next(); }
}
`;

describe('of several queues in one file that keep a parameter of one name', () => {
  it('is the one whose list the called function was taken from', () => {
    const text = MAILS + PRICES;
    assert.deepEqual(linesOf(text.replace('mail.done()', 'mail.|done()')), [2]);
    assert.deepEqual(linesOf(text.replace('each(null', '|each(null')), [7, 8]);
  });

  it('is the one of the same class, where the lists have one name', () => {
    const text = lock('Pool') + lock('Lock');
    assert.deepEqual(linesOf(text.replace('next();', '|next();')), [2]);
    assert.deepEqual(linesOf(lock('Pool') + lock('Lock').replace('next();', '|next();')), [6]);
  });

  it('is found through a batch, a callback of a list and a property', () => {
    const one = 'const a = [];\nfunction put(key, cb) { a.push({ key, cb }); }\n';
    const other = 'let b = [];\nfunction ask(key, cb) { b.push({ key, cb }); }\n';
    const run = (code: string): string => `${one}${other}function run() {\n  ${code}\n}\n`;
    assert.deepEqual(
      linesOf(run('const batch = b.splice(0);\n  for (const item of batch) item.|cb();')),
      [4],
    );
    assert.deepEqual(linesOf(run('a.splice(0).forEach((item) => item.|cb());')), [2]);
    assert.deepEqual(linesOf(run('const { cb } = b.shift();\n  |cb();')), [4]);
    assert.deepEqual(linesOf(run('b[0].|cb();')), [4]);
    const held =
      'class A {\n  ask(cb) { this.asked = cb; }\n  tell(cb) { this.told = cb; }\n  go() { this.|told(); }\n}';
    assert.deepEqual(linesOf(held), [3]);
  });

  it('are all of them where the text does not tell', () => {
    const text = `${MAILS}const others = [];\nfunction put(done) { others.push(done); }\nfunction go(x) { x.|done(); }`;
    assert.deepEqual(linesOf(text), [2, 5]);
    assert.deepEqual(linesOf('|x();'), []);
  });
});
