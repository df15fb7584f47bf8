import { encodeResource, encodeScope } from './encode-span.ts';
import type { Origin } from './frame-format.ts';
import type { EndedSpan, ResourceShape, ScopeShape } from './span-shape.ts';

/*
 * Numbers the pairs of resource and scope, so that a span carries two bytes in place of both. The
 * pair of the last span is remembered: most spans follow one with the same pair.
 *
 * Tables are keyed by the resource object and by the contents of a scope, since some SDKs make a
 * scope object per tracer. They are emptied when the numbers run out, which starts a new `table`.
 */

const MAX_ORIGINS = 1000;

interface ResourceEntry {
  bytes: Uint8Array;
  /** Ids by the scope's name, version and schema. */
  ids: Map<string, number>;
}

export class ResourceScopes {
  /** Increases when numbering starts again. */
  table = 1;
  #resources = new Map<ResourceShape, ResourceEntry>();
  #origins: Origin[] = [];
  #lastResource: ResourceShape | undefined;
  #lastScope: ScopeShape | undefined;
  #lastId = 0;

  idOf(span: EndedSpan): number {
    const { resource, instrumentationScope: scope } = span;
    if (resource === this.#lastResource && scope === this.#lastScope) return this.#lastId;
    const id = this.#find(resource, scope);
    this.#lastResource = resource;
    this.#lastScope = scope;
    this.#lastId = id;
    return id;
  }

  get(id: number): Origin {
    return this.#origins[id] as Origin;
  }

  /** Whether the resource has a number. */
  knows(resource: ResourceShape): boolean {
    return this.#resources.has(resource);
  }

  /** Encodes a resource again whose attributes have become complete; returns the ids it is in. */
  refresh(resource: ResourceShape): number[] {
    const entry = this.#resources.get(resource);
    if (!entry) return [];
    entry.bytes = encodeResource(resource);
    const ids = [...entry.ids.values()];
    for (const id of ids) {
      this.#origins[id] = { resource: entry.bytes, scope: this.get(id).scope };
    }
    return ids;
  }

  #find(resource: ResourceShape, scope: ScopeShape): number {
    if (this.#origins.length >= MAX_ORIGINS) this.#startOver();
    let entry = this.#resources.get(resource);
    if (!entry) {
      entry = { bytes: encodeResource(resource), ids: new Map() };
      this.#resources.set(resource, entry);
    }
    const key = `${scope.name}\0${scope.version ?? ''}\0${scope.schemaUrl ?? ''}`;
    let id = entry.ids.get(key);
    if (id === undefined) {
      id = this.#origins.length;
      this.#origins.push({ resource: entry.bytes, scope: encodeScope(scope) });
      entry.ids.set(key, id);
    }
    return id;
  }

  #startOver(): void {
    this.table++;
    this.#resources.clear();
    this.#origins = [];
  }
}
