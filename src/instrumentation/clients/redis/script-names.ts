import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { noteFunction, noteScript } from '../../redis/scripts.ts';

/** The options of a client that name scripts and functions. */
interface Definitions {
  readonly scripts?: Readonly<Record<string, { SHA1?: string; SCRIPT?: string }>>;
  /** Functions by library. */
  readonly functions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type Factory = (this: unknown, definitions?: Definitions) => unknown;

/**
 * Patches the function that creates the class of clients for a configuration, with a method for
 * each script and function: `factory`, in version 4 `extend`. Pools, clusters and sentinels also
 * create their clients with it.
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

/** Never throws: the definitions come from the application. */
function note(definitions: Definitions | undefined): void {
  try {
    for (const [name, script] of Object.entries(definitions?.scripts ?? {})) {
      noteScript(name, script?.SHA1, script?.SCRIPT);
    }
    for (const library of Object.values(definitions?.functions ?? {})) {
      for (const name of Object.keys(library)) noteFunction(name);
    }
  } catch {
    // The client is about to report the mistake.
  }
}
