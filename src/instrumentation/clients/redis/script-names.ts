import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { noteFunction, noteScript } from '../../redis/scripts.ts';

/** What a client is made with, as far as it names scripts and functions. */
interface Definitions {
  readonly scripts?: Readonly<Record<string, { SHA1?: string; SCRIPT?: string }>>;
  /** By library. */
  readonly functions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type Factory = (this: unknown, definitions?: Definitions) => unknown;

/**
 * Patches what makes the class of clients for a configuration, which gives it a method for each
 * script and function: `factory`, in version 4 `extend`. Pools, clusters and sentinels make their
 * clients by it, too.
 */
export function patchFactory(Client: object): Undo {
  const statics = Client as Partial<Record<'factory' | 'extend', Factory>>;
  return undoAll(
    (['factory', 'extend'] as const)
      .filter((name) => typeof statics[name] === 'function')
      .map((name) =>
        patchMethod(statics as Record<string, Factory>, name, (original) => {
          return function noting(definitions, ...rest: unknown[]) {
            note(definitions);
            return Reflect.apply(original, this, [definitions, ...rest]);
          };
        }),
      ),
  );
}

/** Never throws: what the definitions are made of is the application's. */
function note(definitions: Definitions | undefined): void {
  try {
    for (const [name, script] of Object.entries(definitions?.scripts ?? {})) {
      noteScript(name, script?.SHA1, script?.SCRIPT);
    }
    for (const library of Object.values(definitions?.functions ?? {})) {
      for (const name of Object.keys(library)) noteFunction(name);
    }
  } catch {
    // The client is about to say what is wrong.
  }
}
