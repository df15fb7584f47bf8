/*
 * The modules to be seen when they are loaded: packages (`pg`), files inside them without their
 * extension (`pg/lib/client`), and `package/*` for every file of a package. Names are counted, so
 * one that was added twice stays until both undos ran; the listener hears of the first and the last.
 */

/** What the import hooks ask, on whichever thread they run. */
export interface NameTable {
  has(name: string): boolean;
}

export class WantedModules implements NameTable {
  readonly #counts = new Map<string, number>();
  /** Called when a name comes or goes. */
  onChange: ((name: string, isWanted: boolean) => void) | undefined;

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  names(): string[] {
    return [...this.#counts.keys()];
  }

  /** Adds `name`; the undo takes it back. */
  add(name: string): () => void {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    if (count === 0) this.onChange?.(name, true);
    let isAdded = true;
    return () => {
      if (!isAdded) return;
      isAdded = false;
      const left = (this.#counts.get(name) ?? 1) - 1;
      if (left > 0) {
        this.#counts.set(name, left);
        return;
      }
      this.#counts.delete(name);
      this.onChange?.(name, false);
    };
  }
}

/** `pg/lib/client.js` without its extension, as a module is registered. */
export function stripExtension(name: string): string {
  return name.replace(/\.(?:c|m)?js$/, '');
}

/** `@scope/name/lib/file` and `name/lib/file` without the part after the package. */
export function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}

/** A file below `node_modules`, given as a path or a URL with slashes: `pg/lib/client.js`. */
export function pathInPackage(file: string): string | undefined {
  return /.*\/node_modules\/([^?#]+)/.exec(file)?.[1];
}

/** Whether `names` hold the module at `url` that was imported as `specifier`. */
export function isWanted(names: NameTable, url: string, specifier: string): boolean {
  if (names.has(specifier)) return true;
  // One of Node's own may be asked for without the prefix, and imported with it.
  if (url.startsWith('node:')) return names.has(url) || names.has(url.slice('node:'.length));
  const inside = pathInPackage(url);
  if (inside === undefined) return false;
  return names.has(stripExtension(inside)) || names.has(`${packageOf(inside)}/*`);
}
