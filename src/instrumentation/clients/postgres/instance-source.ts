import { bindListener } from '../../bind-listener.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { recordThrown } from '../../thrown-calls.ts';
import { describeQuery, endpointFrom, type Fragments } from './attributes.ts';
import { introduce } from './instances.ts';
import { patchEnd } from './option-source.ts';
import { patchQuery } from './query-source.ts';
import type { Postgres, PostgresSql } from './library-types.ts';

/** Patches what all instances share, found through an instance that never connects. */
export function patchByProbe(postgres: Postgres, recorder: Recorder): Undo | undefined {
  return patchQueryOf(postgres({ host: 'localhost', max: 1, no_subscribe: true }), recorder);
}

/** Patches what `sql` shares with all other instances. */
export function patchQueryOf(sql: PostgresSql, recorder: Recorder): Undo | undefined {
  return patchQuery(fragmentsOf(sql), recorder);
}

/** Patches an instance: its listeners run in the context in which they were registered. */
export function patchInstance(sql: PostgresSql, recorder: Recorder): Undo | undefined {
  const release = reservePatch(sql, 'postgres instance');
  if (!release) return undefined;
  introduce(sql.unsafe(''), sql.options);
  return undoAll([
    release,
    patchEnd(sql),
    ...(['unsafe', 'file'] as const).map((name) =>
      patchMethod(sql, name, (original) => {
        return function make(this: unknown, ...args: unknown[]) {
          try {
            return Reflect.apply(original, this, args) as never;
          } catch (error) {
            const text = name === 'unsafe' && typeof args[0] === 'string' ? args[0] : undefined;
            const statement = { text, values: [], isWhole: true };
            recordThrown(
              recorder,
              () => describeQuery(endpointFrom(sql.options), statement),
              error,
            );
            throw error;
          }
        };
      }),
    ),
    patchMethod(sql, 'listen', (original) => {
      return function listen(name, ...listeners) {
        const result = Reflect.apply(original, this, [name, ...listeners.map(bound)]) as unknown;
        // It listens through a separate instance.
        const { sql: listening } = original as PostgresSql['listen'];
        if (listening) introduce(listening.unsafe(''), sql.options);
        return result;
      };
    }),
    patchMethod(sql, 'subscribe', (original) => {
      return function subscribe(event, ...listeners) {
        return Reflect.apply(original, this, [event, ...listeners.map(bound)]) as unknown;
      };
    }),
  ]);
}

function bound(listener: unknown): unknown {
  return typeof listener === 'function'
    ? bindListener('POSTGRES_LISTENER', listener as () => unknown)
    : listener;
}

function fragmentsOf(sql: PostgresSql): Fragments {
  const classOf = (instance: unknown) => (instance as { constructor: never }).constructor;
  return {
    Query: classOf(sql.unsafe('')),
    Identifier: classOf(sql('a')),
    Parameter: classOf(sql.typed(1, 23)),
    Builder: classOf(sql({ a: 1 })),
  };
}
