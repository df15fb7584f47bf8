import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { Console } from 'node:console';
import { once } from 'node:events';
import { Duplex, PassThrough, Writable } from 'node:stream';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { enableRules } from '../../src/instrumentation/rules/index.ts';
import { STORES } from '../context/contract/managers.ts';
import { isCollected } from '../support/collected.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

type Act = (log: unknown[], stream: Writable) => unknown;

/** What an application may do with a stream that is busy; it sees the same bare and repaired. */
const ACTS: Record<string, Act> = {
  'ends with a chunk': (log, stream) => log.push(stream.end('last') === stream),
  'ends with a chunk and a callback': (log, stream) => {
    stream.end('last', ((error: unknown) => log.push('ended', error ?? null)) as never);
  },
  'ends with a chunk, an encoding and a callback': (log, stream) => {
    stream.end('6c617374', 'hex', () => log.push('ended'));
  },
  'ends twice, and writes after that': (log, stream) => {
    stream.end('last');
    stream.end('later', ((error: NodeJS.ErrnoException) => log.push(error.code)) as never);
    stream.write('later', (error) => log.push((error as NodeJS.ErrnoException).code));
  },
  'is destroyed': (log, stream) => {
    stream.write('never', (error) => log.push(error?.message));
    stream.destroy(new Error('planted'));
    stream.end('never');
    log.push(stream.destroyed);
  },
  'is corked and ends': (_log, stream) => {
    stream.cork();
    stream.write('corked');
    stream.end('last');
  },
  'is given what Node refuses': (log, stream) => {
    for (const act of [
      () => stream.write(null),
      () => stream.write(5),
      () => stream.write('x', 'nothing' as never),
      () => stream.end(5),
      () => stream.write('x', 'utf8', 5 as never),
    ]) {
      try {
        log.push(act() instanceof Writable);
      } catch (error) {
        log.push((error as NodeJS.ErrnoException).code);
      }
    }
  },
};

for (const store of STORES) {
  describe(`writes under a manager and all rules, ${store} store`, () => {
    let manager: AsyncHooksContextManager;
    let undo: () => void;
    const nameOf = (): unknown => manager.active().getValue(KEY);

    beforeEach(() => {
      manager = new AsyncHooksContextManager({ store }).enable();
      undo = enableRules();
    });

    afterEach(() => {
      undo();
      manager.disable();
    });

    it('run, buffered or not, in the context of their caller', async () => {
      const seen: unknown[] = [];
      const note = (chunk: unknown): void => void seen.push([String(chunk), nameOf()]);
      const stream = new Writable({
        decodeStrings: false,
        construct: (done) => setImmediate(done),
        write(chunk, _encoding, done) {
          note(chunk);
          setImmediate(done);
        },
      });
      for (const name of ['a', 'b', 'c']) {
        manager.with(named(name), () => {
          stream.write(name);
          stream.write(name, () => note('callback'));
        });
      }
      stream.cork();
      manager.with(named('d'), () => stream.write('d', 'utf8', () => note('corked')));
      stream.uncork();
      manager.with(named('e'), () => stream.end('e', () => note('end')));
      await once(stream, 'close');
      const expected = ['a', 'b', 'c'].flatMap((name) => [
        [name, name],
        [name, name],
        ['callback', name],
      ]);
      const chunks = (list: unknown[]): unknown[] =>
        list.filter((each) => (each as string[])[0]!.length === 1);
      assert.deepEqual(chunks(seen), [...chunks(expected), ['d', 'd'], ['e', 'e']]);
      assert.deepEqual(
        seen.filter((each) => !chunks(seen).includes(each)),
        [...['a', 'b', 'c'].map((name) => ['callback', name]), ['corked', 'd'], ['end', 'e']],
      );
    });

    it('pass a function on that is a chunk', async () => {
      const task = (): void => undefined;
      for (const stream of [new Writable({ objectMode: true }), new Duplex({ objectMode: true })]) {
        const written = new Promise((resolve) => {
          stream._write = (chunk, _encoding, done) => {
            resolve(chunk);
            done();
          };
        });
        manager.with(named('a'), () => stream.write(task));
        assert.equal(await written, task);
      }
    });

    it('share one tick where they share a callback, as without a context', async () => {
      let ticks = 0;
      const hook = createHook({ init: (_id, type) => void (type === 'TickObject' && ticks++) });
      const log = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));
      hook.enable();
      manager.with(named('a'), () => {
        for (let line = 0; line < 100; line++) log.log(line);
      });
      manager.with(named('b'), () => log.log('b'));
      hook.disable();
      assert.ok(ticks <= 2, `${ticks} ticks`);
      await new Promise((resolve) => setImmediate(resolve));
    });

    it('hold no context once their callback was called', async () => {
      const serve = async (): Promise<WeakRef<Context>> => {
        const context = named('a');
        await manager.with(context, () => {
          const stream = new PassThrough().resume();
          return new Promise<void>((resolve) => stream.write('x', () => resolve()));
        });
        return new WeakRef(context);
      };
      assert.ok(await isCollected(await serve()));
    });

    for (const [name, act] of Object.entries(ACTS)) {
      it(`behave as in a bare Node where a busy stream ${name}`, async () => {
        const observe = async (): Promise<unknown[]> => {
          const log: unknown[] = [];
          const stream = new Writable({
            write(chunk, _encoding, done) {
              log.push(String(chunk));
              setImmediate(done);
            },
            final(done) {
              log.push('final');
              done();
            },
          });
          stream.on('error', (error: NodeJS.ErrnoException) => log.push(error.message));
          const closed = once(stream, 'close').catch(() => undefined);
          stream.write('first');
          act(log, stream);
          if (!stream.writableEnded && !stream.destroyed) stream.end();
          await closed;
          return log;
        };
        const repaired = await manager.with(named('a'), observe);
        undo();
        manager.disable();
        assert.deepEqual(repaired, await observe());
      });
    }

    it('have one frame of ours on their stack, and none once all is undone', () => {
      const ours = (): number => {
        let stack = '';
        const stream = new Writable({
          write(_chunk, _encoding, done) {
            stack = new Error('probe').stack ?? '';
            done();
          },
        });
        stream.write('x', () => undefined);
        return stack.split('\n').filter((line) => /src[/\\](patch|context|instr)/.test(line))
          .length;
      };
      const replaced = ours();
      undo();
      manager.disable();
      // Others that are loaded in this process may have theirs there, too.
      assert.equal(replaced - ours(), 1);
    });
  });
}
