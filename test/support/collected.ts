const ROUNDS = 50;

/** Whether the garbage collector takes all of them, given some turns of the event loop to do so. */
export async function isCollected(...refs: readonly WeakRef<object>[]): Promise<boolean> {
  if (!globalThis.gc) throw new Error('run Node with --expose-gc');
  for (let round = 0; round < ROUNDS; round++) {
    // A reference that was looked at holds its object for the rest of the turn; sockets take a moment.
    await new Promise((resolve) => setTimeout(resolve, Math.min(round, 10)));
    globalThis.gc();
    if (refs.every((ref) => ref.deref() === undefined)) return true;
  }
  return false;
}
