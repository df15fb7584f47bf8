/**
 * The base of classes that add a private field to an object created elsewhere:
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
 * The field cannot be seen from outside the class, not even by reflection, and is collected with
 * the object: it does the job of a `WeakMap` keyed by the object, without the cost of a new entry
 * per call to the garbage collector. Private fields only: a public field on an object whose
 * prototype has a setter of that name behaves differently in different versions of Node.
 */
// Not a function: only a base class can define what `this` is in its derived classes.
// oxlint-disable-next-line typescript/no-extraneous-class
export class PrivateFields {
  constructor(object: object) {
    return object;
  }
}
