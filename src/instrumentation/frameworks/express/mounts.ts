import { mountIn, pathnameOf, type PathPattern } from '../route-path.ts';
import { PrivateFields } from '../../../carry/private-fields.ts';
import type { Layer, LayerClass, LayerPath, RoutedMessage } from './library-types.ts';

/*
 * The paths that layers were made with, which the layers keep as regular expressions only, and where
 * a request is by them. A layer that is not mounted anywhere in particular is not noted.
 */

/** A layer of `router.use(path, ...)` with its path, which nobody else can see. */
export class MountLayer extends PrivateFields {
  #path: LayerPath;

  private constructor(layer: Layer, path: LayerPath) {
    super(layer);
    this.#path = path;
  }

  /** Notes with what path `layer` was made. */
  static note(layer: Layer, path: LayerPath): void {
    if (#path in layer || isEverywhere(path)) return;
    Reflect.construct(MountLayer, [layer, path]);
  }

  static pathOf(layer: object): LayerPath | undefined {
    return #path in layer ? layer.#path : undefined;
  }
}

function isEverywhere(path: LayerPath): boolean {
  return typeof path === 'string' && mountIn('', path) === '';
}

/** The mounts that a request is in, the innermost last. */
export class Mounts {
  readonly #mounts: { base: string; path: string }[] = [];

  /** The path of the mount that `request` is in now. */
  at({ baseUrl = '' }: RoutedMessage): string {
    while (this.#mounts.length > 0 && this.#mounts.at(-1)?.base !== baseUrl) this.#mounts.pop();
    return this.#mounts.at(-1)?.path ?? '';
  }

  /** The path of a mount that `request` enters. Its URL is trimmed by now. */
  enter(request: RoutedMessage, layer: Layer, path: LayerPath): string {
    const { baseUrl = '' } = request;
    const canBeEmpty = typeof path !== 'string' || /[?*{]/.test(path);
    for (let last; (last = this.#mounts.at(-1)); this.#mounts.pop()) {
      const isInside = baseUrl.startsWith(last.base) && baseUrl[last.base.length] === '/';
      if (isInside || (canBeEmpty && last.base === baseUrl)) break;
    }
    const parent = this.#mounts.at(-1);
    const trimmed = baseUrl.slice(parent?.base.length ?? 0) || '/';
    const full = mountIn(parent?.path ?? '', alternativeOf(layer, path, trimmed, false));
    this.#mounts.push({ base: baseUrl, path: full });
    return full;
  }
}

/** The path of a route's layer that `request` has matched. */
export function matchedPathOf(layer: Layer, path: LayerPath, request: RoutedMessage): PathPattern {
  return typeof path === 'string' ? path : alternativeOf(layer, path, request.url ?? '/', true);
}

/** One matcher for each of several paths, by the list of them. */
const matchers = new WeakMap<readonly unknown[], { path: PathPattern; layer: Layer }[]>();

/** Of several paths the first that `url` matches. */
function alternativeOf(layer: Layer, path: LayerPath, url: string, end: boolean): PathPattern {
  if (typeof path === 'string' || path instanceof RegExp) return path;
  const pathname = pathnameOf(url);
  let known = matchers.get(path);
  if (known === undefined) {
    const Layer = layer.constructor as LayerClass;
    known = (path.flat(Infinity) as PathPattern[]).map((one) => ({
      path: one,
      layer: new Layer(one, { end }, () => undefined),
    }));
    matchers.set(path, known);
  }
  return known.find(({ layer }) => layer.match(pathname))?.path ?? known[0]?.path ?? '/';
}
