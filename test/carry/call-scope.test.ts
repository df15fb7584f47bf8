import assert from 'node:assert/strict';

import { CallScope } from '../../src/carry/call-scope.ts';

describe('a value that holds while a call is on the stack', () => {
  it('is there during the call and gone after it', () => {
    const scope = new CallScope<string>();
    assert.equal(scope.current, undefined);
    assert.equal(
      scope.run('a', () => scope.current),
      'a',
    );
    assert.equal(scope.current, undefined);
  });

  it('is the innermost one, and the outer one again after that', () => {
    const scope = new CallScope<string>();
    scope.run('a', () => {
      scope.run('b', () => assert.equal(scope.current, 'b'));
      scope.run(undefined, () => assert.equal(scope.current, undefined));
      assert.equal(scope.current, 'a');
    });
  });

  it('is restored when the call throws', () => {
    const scope = new CallScope<string>();
    scope.run('a', () => {
      const fail = (): never => {
        throw new Error('no');
      };
      assert.throws(() => scope.run('b', fail), /no/);
      assert.equal(scope.current, 'a');
    });
  });

  it('is for the first that takes it, and the outer call has its own still', () => {
    const scope = new CallScope<string>();
    scope.run('a', () => {
      scope.run('b', () => {
        assert.equal(scope.take(), 'b');
        assert.equal(scope.take(), undefined);
      });
      assert.equal(scope.take(), 'a');
    });
    assert.equal(scope.current, undefined);
  });

  it('holds between enter and leave, without a function in the stack', () => {
    const scope = new CallScope<string>();
    const outer = scope.enter('a');
    assert.equal(outer, undefined);
    assert.equal(scope.enter('b'), 'a');
    scope.leave('a');
    assert.equal(scope.current, 'a');
    scope.leave(outer);
    assert.equal(scope.current, undefined);
  });
});
