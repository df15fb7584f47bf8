import assert from 'node:assert/strict';

import { patchHotMethod, patchMethod, patchOnce } from '../../src/base/patch.ts';

class Greeter {
  greet(name: string): string {
    return `hello ${name}`;
  }
}

const methodOf = (target: Greeter) =>
  Object.getOwnPropertyDescriptor(target, 'greet')?.value as (
    this: Greeter,
    name: string,
  ) => string;

const KINDS = {
  patchMethod: (target: Greeter) =>
    patchMethod(target, 'greet', (original) => {
      return function greet(name) {
        return `${original.call(this, name)}!`;
      };
    }),
  patchHotMethod: (target: Greeter) =>
    patchHotMethod(target, 'greet', (original, patch) => {
      return function greet(name) {
        const greeting = original.call(this, name);
        return patch.isUndone ? greeting : `${greeting}!`;
      };
    }),
};

for (const [name, patch] of Object.entries(KINDS)) {
  describe(name, () => {
    it('lets an instrumentation of OpenTelemetry below it be taken out, and wrap again above it', () => {
      class Target extends Greeter {}
      const official = (greet: (name: string) => string): ((name: string) => string) => {
        const replacement = function (this: unknown, name: string): string {
          return `(${greet.call(this, name)})`;
        };
        return Object.assign(replacement, { __wrapped: true, __original: greet });
      };
      const { prototype } = Target;
      const bare = methodOf(Greeter.prototype);
      Object.assign(prototype, { greet: official(bare) });
      const undo = patch(prototype);
      assert.equal(new Target().greet('you'), '(hello you)!');
      // It sees its own mark, takes out what it believes to be its own, and wraps again.
      const ours = methodOf(prototype) as unknown as { __wrapped: boolean; __unwrap: () => void };
      assert.equal(ours.__wrapped, true);
      ours.__unwrap();
      assert.equal(new Target().greet('you'), 'hello you!');
      undo?.();
      assert.equal(methodOf(prototype), bare);
      Object.assign(prototype, { greet: official(bare) });
      const undoAgain = patch(prototype);
      (methodOf(prototype) as unknown as { __unwrap: () => void }).__unwrap();
      Object.assign(prototype, { greet: official(methodOf(prototype)) });
      assert.equal(new Target().greet('you'), '(hello you!)');
      undoAgain?.();
      assert.equal(new Target().greet('you'), '(hello you)');
    });

    it('replaces a method, which keeps its name and its length, until it is undone', () => {
      class Target extends Greeter {}
      const undo = patch(Target.prototype);
      const greet = methodOf(Target.prototype);
      assert.equal(new Target().greet('you'), 'hello you!');
      assert.equal(greet.name, 'greet');
      assert.equal(greet.length, 1);
      undo?.();
      assert.equal(new Target().greet('you'), 'hello you');
      assert.equal(Object.hasOwn(Target.prototype, 'greet'), false);
    });

    it('leaves a patch over it in place when it is undone, and is a plain call from then on', () => {
      class Target extends Greeter {}
      const undo = patch(Target.prototype);
      const greet = methodOf(Target.prototype);
      Target.prototype.greet = function (given) {
        return `${greet.call(this, given)}?`;
      };
      assert.equal(new Target().greet('you'), 'hello you!?');
      undo?.();
      assert.equal(new Target().greet('you'), 'hello you?');
    });

    it('leaves alone a getter, without a call of it', () => {
      const target = Object.defineProperty(new Greeter(), 'greet', {
        configurable: true,
        get: () => assert.fail('called'),
      });
      assert.equal(patch(target), undefined);
    });

    it('leaves alone what is frozen', () => {
      const target = Object.freeze(new Greeter());
      assert.equal(patch(target), undefined);
      assert.equal(target.greet('you'), 'hello you');
    });
  });
}

describe('patchOnce', () => {
  it('replaces a method once for one purpose, until who did undoes it', () => {
    class Target extends Greeter {}
    const louder = (purpose: string): (() => void) | undefined =>
      patchOnce(Target.prototype, 'greet', purpose, (original) => {
        return function greet(name) {
          return `${original.call(this, name)}!`;
        };
      });
    const first = louder('shout');
    const second = louder('shout');
    assert.equal(new Target().greet('you'), 'hello you!');
    second?.();
    assert.equal(new Target().greet('you'), 'hello you!');
    const other = louder('cheer');
    assert.equal(new Target().greet('you'), 'hello you!!');
    other?.();
    first?.();
    assert.equal(new Target().greet('you'), 'hello you');
    louder('shout')?.();
    assert.equal(new Target().greet('you'), 'hello you');
  });
});
