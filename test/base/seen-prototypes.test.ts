import assert from 'node:assert/strict';

import { patchMethod } from '../../src/base/patch.ts';
import { SeenPrototypes } from '../../src/base/seen-prototypes.ts';

class Command {
  run(): string {
    return 'bare';
  }
}
class OtherCommand extends Command {
  override run(): string {
    return 'other';
  }
}

describe('SeenPrototypes', () => {
  it('patches each class once, when its first object is seen, and undoes all', () => {
    const patched: object[] = [];
    const classes = new SeenPrototypes((prototype) => {
      patched.push(prototype);
      return patchMethod(prototype as Command, 'run', (original) => {
        return function run() {
          return `patched ${original.call(this)}`;
        };
      });
    });
    const [first, second, other] = [new Command(), new Command(), new OtherCommand()];
    assert.equal(other.run(), 'other');
    for (const command of [first, second, other, other]) classes.see(command);
    assert.deepEqual(patched, [Command.prototype, OtherCommand.prototype]);
    assert.deepEqual([second.run(), other.run()], ['patched bare', 'patched other']);

    classes.undo();
    classes.undo();
    assert.deepEqual([first.run(), other.run()], ['bare', 'other']);
  });

  it('asks once about a class that has nothing to patch', () => {
    let asked = 0;
    const classes = new SeenPrototypes(() => {
      asked += 1;
      return undefined;
    });
    classes.see(new Command());
    classes.see(new Command());
    classes.undo();
    assert.equal(asked, 1);
  });
});
