import { PrivateFields } from './private-fields.ts';

/*
 * Attaches clew's state to a library's own unit of work: its query, command, packet or job. It is
 * attached where the library is called and found again wherever the library works on the unit.
 *
 * One private field serves all clients: the engine has one name to look up, and the field is
 * collected with the unit. A `WeakMap` would keep its values through every minor garbage
 * collection, and a symbol property is visible and is copied with the unit.
 */

class UnitOfWork extends PrivateFields {
  #work: object | undefined;

  constructor(unit: object, work: object) {
    super(unit);
    this.#work = work;
  }

  static attach(unit: object, work: object): void {
    if (#work in unit) unit.#work = work;
    else Reflect.construct(UnitOfWork, [unit, work]);
  }

  static workOf(unit: object): object | undefined {
    return #work in unit ? unit.#work : undefined;
  }

  static detach(unit: object): void {
    if (#work in unit) unit.#work = undefined;
  }
}

/** Attaches `work`, such as an operation, to a library's own `unit`, in the place of what was. */
export function attachWork(unit: object, work: object): void {
  UnitOfWork.attach(unit, work);
}

/** What was attached to `unit`, which is what the same client attached to units of its kind. */
export function workOf<Work extends object>(unit: object): Work | undefined {
  return UnitOfWork.workOf(unit) as Work | undefined;
}

/** Forgets what was attached, for units that live longer than their work. */
export function detachWork(unit: object): void {
  UnitOfWork.detach(unit);
}
