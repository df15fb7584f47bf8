import { AWAITABLES, CALLBACKS } from './sources.ts';

/** Steps that run others in a context of their own. */
export interface BodyStep {
  kind: 'with' | 'sync with' | 'attach' | 'bind' | 'emitter' | 'foreign';
  name: number;
  steps: Step[];
}

/** A program is data, so that it can be printed, run again, and made smaller. */
export type Step =
  | BodyStep
  | { kind: 'observe' }
  | { kind: 'cancel' }
  | { kind: 'outside' }
  | { kind: 'throw'; name: number }
  | { kind: 'reject'; name: number }
  | { kind: 'await'; source: string }
  | { kind: 'callback'; source: string; steps: Step[] }
  | { kind: 'parallel'; branches: Step[][] };

/** Numbers from 0 to 1 that depend on the seed alone. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A program of about `size` steps. */
export function generate(seed: number, size: number): Step[] {
  const random = randomFrom(seed);
  const budget = { left: size };
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const callbacks = Object.keys(CALLBACKS);
  const awaitables = Object.keys(AWAITABLES);

  const steps = (depth: number): Step[] => {
    const made: Step[] = [];
    for (let count = 1 + below(5); count > 0 && budget.left > 0; count -= 1) made.push(step(depth));
    return made;
  };
  const step = (depth: number): Step => {
    budget.left -= 1;
    const name = below(1000);
    const choice = depth > 6 ? below(4) : below(14);
    switch (choice) {
      case 0:
        return { kind: 'observe' };
      case 1:
      case 2:
        return { kind: 'await', source: pick(awaitables) };
      case 3:
        return pick<Step>([
          { kind: 'throw', name },
          { kind: 'reject', name },
          { kind: 'cancel' },
          { kind: 'outside' },
        ]);
      case 4:
      case 5:
      case 6:
        return { kind: 'callback', source: pick(callbacks), steps: steps(depth + 1) };
      case 7:
        return {
          kind: 'parallel',
          branches: Array.from({ length: 2 + below(3) }, () => steps(depth + 1)),
        };
      default:
        return {
          kind: pick([
            'with',
            'with',
            'sync with',
            'attach',
            'bind',
            'emitter',
            'foreign',
          ] as const),
          name,
          steps: steps(depth + 1),
        };
    }
  };

  const program: Step[] = [];
  while (budget.left > 0) program.push(...steps(0));
  return program;
}

/** The programs that are one step smaller: a step left out, or replaced by what is inside it. */
export function* smaller(steps: readonly Step[]): Generator<Step[]> {
  for (const [index, step] of steps.entries()) {
    const before = steps.slice(0, index);
    const after = steps.slice(index + 1);
    yield [...before, ...after];
    if ('branches' in step) {
      for (const [number, branch] of step.branches.entries()) {
        yield [...before, ...branch, ...after];
        const others = step.branches.toSpliced(number, 1);
        if (others.length > 0) yield [...before, { ...step, branches: others }, ...after];
        for (const less of smaller(branch)) {
          yield [...before, { ...step, branches: step.branches.with(number, less) }, ...after];
        }
      }
    } else if ('steps' in step) {
      yield [...before, ...step.steps, ...after];
      for (const less of smaller(step.steps)) yield [...before, { ...step, steps: less }, ...after];
    }
  }
}
