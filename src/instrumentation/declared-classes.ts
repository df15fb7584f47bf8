import { undoAll, type Undo } from '../base/patch.ts';
import { defaultOf, type ModuleExports } from './module-hooks.ts';

/**
 * A class of a library, known by methods of its prototype and never by its name: a bundler gives
 * classes other names.
 */
export interface DeclaredClass<Recorder> {
  /** Methods that, of all classes of the library, only this one has, in every supported version. */
  readonly has: readonly string[];
  /** Patches the class and returns the undo; `undefined` where it is patched already. */
  patch(found: ModuleExports, recorder: Recorder): Undo | undefined;
}

/**
 * The `patch` of a module: patches the declared classes among what the module exports, which is a class
 * itself or has classes under `names`. Where two declarations fit a class, the first one holds.
 */
export function patchClasses<Recorder>(
  declared: readonly DeclaredClass<Recorder>[],
  names: readonly string[] = [],
): (exports: ModuleExports, recorder: Recorder) => Undo | undefined {
  return (exports, recorder) => {
    const whole = defaultOf(exports);
    const candidates = new Set([whole, ...names.map((name) => whole?.[name] ?? exports?.[name])]);
    const undos = [...candidates].map((candidate) =>
      declared.find(({ has }) => hasMethods(candidate, has))?.patch(candidate, recorder),
    );
    return undos.some(Boolean) ? undoAll(undos) : undefined;
  };
}

/** Whether `candidate` is a class whose objects have these methods. */
export function hasMethods(candidate: unknown, methods: readonly string[]): boolean {
  if (typeof candidate !== 'function') return false;
  const prototype = candidate.prototype as Record<string, unknown> | undefined;
  return methods.every((method) => typeof prototype?.[method] === 'function');
}
