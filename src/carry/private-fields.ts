/**
 * The base of classes that add a private field to an object somebody else made:
 *
 *     class Started extends PrivateFields {
 *       #run: Run | undefined;
 *
 *       static hold(query: Query, run: Run): void {
 *         if (#run in query) query.#run = run;
 *         else new Started(query).#run = run;
 *       }
 *
 *       static runOf(query: Query): Run | undefined {
 *         return #run in query ? query.#run : undefined;
 *       }
 *     }
 *
 * The field cannot be seen from outside the class, not even by reflection, and goes with the object:
 * that is a `WeakMap` by it, without what a new entry for each call costs the garbage collector.
 * Only private fields: what a public one does on an object whose prototype has a setter of that name
 * differs from Node to Node.
 */
// Not a function: only a base class can say what `this` is in the classes derived from it.
// oxlint-disable-next-line typescript/no-extraneous-class
export class PrivateFields {
  constructor(object: object) {
    return object;
  }
}
