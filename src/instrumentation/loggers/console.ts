import { format } from 'node:util';

import { patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { withJsonFields } from './json-line.ts';
import { fieldsReader, resolveLogFields, type LogField, type LogFields } from './log-fields.ts';

const METHODS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/**
 * Has lines of the global console end with the fields, as `trace_id=... span_id=...`. A line that is
 * a JSON object gets them as fields of that object.
 */
export function patchConsole(names: LogFields = {}): Undo {
  const read = fieldsReader(resolveLogFields(names));
  return undoAll(
    METHODS.map((method) =>
      patchMethod(console, method, (original) => {
        return function (this: Console, ...args: unknown[]): void {
          const fields = read();
          Reflect.apply(original, this, fields ? withFields(args, fields) : args);
        };
      }),
    ),
  );
}

function withFields(args: unknown[], fields: readonly LogField[]): unknown[] {
  const [first] = args;
  if (args.length === 1 && isJsonObject(first)) return [withJsonFields(first, fields)];
  const missing = fields.filter(({ name }) => !args.some((arg) => hasField(arg, name)));
  if (missing.length === 0) return args;
  const text = missing.map(({ name, value }) => `${name}=${value}`).join(' ');
  if (typeof first !== 'string' || !first.includes('%')) return [...args, text];
  // A placeholder without a value would take the text.
  return ['%s %s', format(...args), text];
}

/** Whether a text came from a logger that put the field in, or has it from the application. */
function hasField(text: unknown, name: string): boolean {
  return typeof text === 'string' && (text.includes(`${name}=`) || text.includes(`"${name}":`));
}

/** What reads lines of JSON could not read one with text behind it. */
function isJsonObject(line: unknown): line is string {
  if (typeof line !== 'string' || !/^\s*\{[^]*\}\s*$/.test(line)) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
