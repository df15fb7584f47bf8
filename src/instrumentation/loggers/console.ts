import { format } from 'node:util';

import { patchMethod, undoAll, type Undo } from '../patch.ts';
import { activeSpanFields, resolveLogFields, type LogFields } from './log-fields.ts';

const METHODS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** Has lines of the global console end with the fields, as `trace_id=... span_id=...`. */
export function patchConsole(names: LogFields = {}): Undo {
  const resolved = resolveLogFields(names);
  return undoAll(
    METHODS.map((method) =>
      patchMethod(console, method, (original) => {
        return function (this: Console, ...args: unknown[]): void {
          const fields = activeSpanFields(resolved);
          Reflect.apply(original, this, fields ? withFields(args, fields) : args);
        };
      }),
    ),
  );
}

function withFields(args: unknown[], fields: readonly [string, string][]): unknown[] {
  const text = fields.map(([name, value]) => `${name}=${value}`).join(' ');
  const [first] = args;
  if (typeof first !== 'string' || !first.includes('%')) return [...args, text];
  // A placeholder without a value would take the text.
  return ['%s %s', format(...args), text];
}
