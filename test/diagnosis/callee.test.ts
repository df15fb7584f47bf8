import assert from 'node:assert/strict';

import { callKindAt, keepings } from '../../src/diagnosis/callee.ts';

/** The kind of the call at `|`. */
function kindAt(text: string, name?: string): string | undefined {
  const before = text.slice(0, text.indexOf('|')).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  return callKindAt(text.replace('|', ''), before.length, column, name);
}

describe('how a call got hold of what it calls', () => {
  it('is by its name, for a helper', () => {
    assert.equal(kindAt('job(() => {\n  |respond(res, 200);', 'respond'), 'by name');
    assert.equal(kindAt('  service.|load(id);', 'Service.load'), 'by name');
    assert.notEqual(kindAt('  const next = list.pop();\n  |next();', 'onNext'), 'by name');
  });

  it('is a variable or a property in which it was kept', () => {
    for (const text of [
      'release(c) {\n  const next: Waiter | undefined = this.waiting.shift();\n  next |(c);'.replace(
        'next |',
        '|next',
      ),
      'const { done } = queue.shift();\n|done();',
      'for (const each of all) |each(error, value);',
      'batch.forEach((item, i) => item.|callback(null, rows[i]));',
      'callbacks.forEach((cb) => |cb(null));',
      'callbacks.forEach(cb => |cb(null));',
      'callbacks.forEach(function (cb) {\n  |cb(null);',
      'callbacks[|i](null);',
      'this.#waiting.shift()|();',
      'this.#|next();',
      'const fn = list.pop();\nfn.|call(null, 1);',
      'const job = list.shift();\n  if (job) setTimeout(() => |job(next), 2);',
      'const job = list.shift();\n  while (job) {\n |job(next);',
    ]) {
      assert.equal(kindAt(text), 'kept', text);
    }
  });

  it('is an argument that is passed on', () => {
    for (const text of [
      'query(sql, done) {\n  get(sql, (res) => {\n    res.on("end", () => |done(null, res));',
      'const load = (id: string, done: Done<T>): void => {\n  |done(null);',
      'const wrap = (fn) => (...args) => |fn(...args);',
      'const wrap = fn => () => fn.|apply(null, []);',
      'load(id, done): Promise<void> {\n  |done(null);',
      'const load = async (id, done) => {\n  |done(null);',
      'const job = 1;\nload({ id, job }) {\n  |job(null);',
    ]) {
      assert.equal(kindAt(text), 'passed on', text);
    }
  });

  it('is not by the name of what was given for a parameter', () => {
    assert.equal(kindAt('new Queue((job, done) => soon(() => |job(done)));', 'job'), 'passed on');
    assert.equal(kindAt('for (const job of jobs) |job();', 'job'), 'kept');
  });

  it('is not known where the text does not show it', () => {
    assert.equal(kindAt('|unknown();'), undefined);
    assert.equal(callKindAt('one();', 7, 1, undefined), undefined);
    assert.equal(kindAt('if (|ready) {'), undefined);
  });
});

describe('where a text keeps a function', () => {
  const linesOf = (text: string, called?: string): string[] =>
    keepings(text, called).map(({ line, names }) => `${line} ${names.join(' ')}`);

  it('is where a parameter goes into a list, a map or a property', () => {
    assert.deepEqual(
      linesOf('get(id, callback) {\n  this.pending.push({ id, callback });\n  if (x) y();'),
      ['2 callback'],
    );
    assert.deepEqual(
      linesOf(
        'return function get(key: string, done: Done<T>): void {\n a.push(done);\n b.set(key, [done]);',
      ),
      ['2 done', '3 done'],
    );
    assert.deepEqual(linesOf('ask(id, cb) {\n  pending[id] = cb;\n}'), ['2 cb']);
    assert.deepEqual(linesOf('submit(id, reply) {\n  all.push({ id, reply });\n}', 'reply'), [
      '2 reply',
    ]);
  });

  it('has every function that a line keeps', () => {
    const push = 'push(task, done) {\n  this.waiting.push({ task, done });\n}';
    assert.deepEqual(linesOf(push, 'done'), ['2 task done']);
    const add = 'add(name, work, reply) {\n  all.push({ name, start: work, end: reply });\n}';
    assert.deepEqual(linesOf(`${add}\njob.start(() => job.end());`, 'end'), ['2 work reply']);
  });

  it('is where it is kept in an object or a list of its own, unless it is bound', () => {
    assert.deepEqual(linesOf('get(key, cb) {\n  pending[key] = [cb];\n}'), ['2 cb']);
    assert.deepEqual(linesOf('add(id, task, done) {\n  all[id] = { task, done };\n}'), [
      '2 task done',
    ]);
    const half = 'push(task, done) {\n  all.push({ task, done: AsyncResource.bind(done) });\n}';
    assert.deepEqual(linesOf(half), ['2 task']);
  });

  it('is not where a constructor keeps what serves all callers', () => {
    const made = 'constructor(fn, ms = 10) { this.fn = fn; this.ms = ms; }\n';
    const load = 'load(key, callback) {\n  const list = [];\n  list.push(callback);\n}';
    assert.deepEqual(linesOf(made + load, 'cb'), ['4 callback']);
    assert.deepEqual(linesOf(made + load, 'fn'), ['4 callback']);
    assert.deepEqual(linesOf(made, 'cb'), []);
    assert.deepEqual(linesOf('constructor(item, done) {\n  this.done = done;\n}', 'done'), [
      '2 done',
    ]);
  });

  it('is none where data is kept, or what is no parameter', () => {
    assert.deepEqual(linesOf('submit(data, id) {\n  queue.push({ id, data });\n}'), []);
    assert.deepEqual(linesOf('const next = list.shift();\n  other.push(next);'), []);
  });
});
