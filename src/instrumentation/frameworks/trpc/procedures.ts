import type { ServerRequest } from '../../http/server/server-request.ts';

/*
 * The procedures that a request asks for stand in its path, behind where tRPC is mounted:
 * `/trpc/user.byId`, or `/trpc/user.byId,post.list` for a batch. A procedure that the application
 * calls by itself while it answers a request does not stand there.
 *
 * `asked` knows the requests under way with their procedures so far; an entry goes with its request.
 */

interface Asked {
  /** Where tRPC is mounted, without the slash at the end. */
  readonly mount: string;
  readonly procedures: Set<string>;
}

const asked = new WeakMap<ServerRequest, Asked>();

/** Of this package: the procedures of a batch. */
const PROCEDURES = 'clew.trpc.procedures';
/** A batch with more of them has these: its length is its sender's choice. */
const MAX_PROCEDURES = 32;

/** Gives `request` the route of a procedure. Returns whether it asks for it. */
export function showProcedure(request: ServerRequest, procedure: string): boolean {
  const known = asked.get(request);
  const path = decoded(request.path);
  const names = path?.split(',') ?? [];
  if (path === undefined || !names.some((name) => isOf(name, procedure))) return false;
  const mount = known?.mount ?? mountOf(request.route, path, names.length === 1 ? procedure : '');
  if (mount === undefined) return true;
  const { procedures } = known ?? { procedures: new Set() };
  if (known === undefined) asked.set(request, { mount, procedures });
  if (procedures.size < MAX_PROCEDURES) procedures.add(procedure);
  const isOne = names.every((name) => isOf(name, procedure));
  request.refineRoute(`${mount}/${isOne ? procedure : '*'}`);
  if (!isOne && request.span.isRecording()) request.span.setAttribute(PROCEDURES, [...procedures]);
  return true;
}

/** The first name of a path has the mount before it. */
function isOf(name: string, procedure: string): boolean {
  return name === procedure || name.endsWith(`/${procedure}`);
}

/**
 * A router that has found the request knows the mount: `/trpc`, or `/trpc/*`, `/trpc/:path`,
 * `/api/trpc/[trpc]`. Else it is what stands before the procedures.
 */
function mountOf(route: string | undefined, path: string, procedure: string): string | undefined {
  if (route !== undefined) return route.replace(/\/[:*[({][^/]*$/, '').replace(/\/$/, '');
  const end = path.lastIndexOf(`/${procedure}`, path.split(',', 1)[0]?.length);
  return mounts.known(path.slice(0, Math.max(0, end)));
}

/** Mounts that only paths tell of; what clients make up must not become many routes. */
class Mounts {
  readonly #known = new Set<string>();

  known(mount: string): string | undefined {
    if (this.#known.size < 16) this.#known.add(mount);
    return this.#known.has(mount) ? mount : undefined;
  }
}
const mounts = new Mounts();

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
