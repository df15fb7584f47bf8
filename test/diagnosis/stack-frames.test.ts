import assert from 'node:assert/strict';

import { handOverOf, packageOf, partyOf, yourFrame } from '../../src/diagnosis/stack-frames.ts';
import { frame, frames } from './support.ts';

const shown = (stack: string[], birth: string[] = []): string => {
  const found = handOverOf(frames(...stack), frames(...birth));
  if (!found) return 'none';
  const { by, frame, viaEmitter, fromBirth } = found;
  return `${by} ${frame.file}:${frame.line}${viaEmitter ? ' emits' : ''}${fromBirth ? ' born' : ''}`;
};
const DISPATCH = ['/app/node_modules/web/router.js:9', 'node:events:500', 'node:_http_server:1000'];

describe('frames of a diagnosis', () => {
  it('belong to the application, a package, Node or a tracer', () => {
    assert.equal(partyOf('/app/routes.js'), 'application');
    assert.equal(partyOf('/app/node_modules/@scope/pool/x.js'), 'package');
    assert.equal(partyOf('node:net'), 'node');
    assert.equal(partyOf(''), 'node');
    assert.equal(partyOf('/app/node_modules/@opentelemetry/api/x.js'), 'tool');
    assert.equal(packageOf('/a/node_modules/b/node_modules/@scope/pool/x.js'), '@scope/pool');
    assert.equal(packageOf('C:\\a\\node_modules\\b\\x.js'), 'b');
  });

  it('name the innermost line of the application', () => {
    const stack = frames('/app/node_modules/web/response.js:1', '/app/a.js:2', '/app/b.js:3');
    assert.equal(yourFrame(stack)?.line, 2);
  });

  it('name the package that called the application back', () => {
    assert.equal(
      shown(['/app/a.js:2', '/app/node_modules/pool/index.js:478', 'node:net:7']),
      'package /app/node_modules/pool/index.js:478',
    );
    assert.equal(
      shown(['/app/respond.js:2', '/app/a.js:3', '/app/node_modules/pool/index.js:478']),
      'package /app/node_modules/pool/index.js:478',
    );
  });

  it('distinguish a listener from a callback', () => {
    assert.equal(
      shown(['/app/a.js:2', 'node:events:500', '/app/node_modules/bus/index.js:8', 'node:net:7']),
      'package /app/node_modules/bus/index.js:8 emits',
    );
    assert.equal(shown(['/app/a.js:2', 'node:events:500', 'node:net:7']), 'node node:net:7 emits');
    assert.equal(
      shown(['/app/a.js:2', 'node:events:500', '/app/bus.js:8', ...DISPATCH]),
      'application /app/bus.js:8 emits',
    );
  });

  it('do not take the framework that dispatched a request for a hand-over', () => {
    assert.equal(shown(['/app/a.js:2', ...DISPATCH]), 'none');
    assert.equal(
      shown(['/app/a.js:2', '/app/pool.js:30', '/app/a.js:40', ...DISPATCH]),
      'application /app/pool.js:30',
    );
    assert.equal(
      shown(['/app/a.js:2', '/app/node_modules/pool/index.js:4', '/app/a.js:40', ...DISPATCH]),
      'package /app/node_modules/pool/index.js:4',
    );
  });

  it('take what runs when a response is over for no dispatch of a request', () => {
    const closed = (fn: string): string | undefined => {
      const stack = frames('/app/a.js:2', '/app/node_modules/gate/index.js:7', 'node:events:500');
      return handOverOf([...stack, frame('node:_http_server:1200', fn)])?.package;
    };
    assert.equal(closed('emitCloseNT'), 'gate');
    assert.equal(closed('ServerResponse.resOnFinish'), 'gate');
    assert.equal(closed('parserOnIncoming'), undefined);
  });

  it('look past a table of handlers to the package that called it, if one did', () => {
    const router = ['/app/node_modules/web/layer.js:5', '/app/node_modules/web/router.js:9'];
    const gate = '/app/node_modules/gate/index.js:7';
    const past = (...stack: string[]): string => {
      const found = handOverOf(frames('/app/a.js:2', ...stack), [], undefined, {
        isTable: (name) => name === 'web',
        dispatchers: new Set(['web', 'app-of-web', 'both']),
      });
      return `${found?.frame.file}:${found?.frame.line}${found?.viaTable ? ' via' : ''}`;
    };
    assert.equal(past(...router, gate, '/app/node_modules/lib/x.js:1'), `${gate} via`);
    // Other packages stand between two parts of the router, and applications of it.
    const helmet = '/app/node_modules/helmet/index.js:3';
    const mounted = '/app/node_modules/app-of-web/index.js:3';
    assert.equal(past(...router, helmet, ...router, mounted, gate), `${gate} via`);
    // What keeps requests may bring others at once.
    const both = '/app/node_modules/both/index.js:7';
    assert.equal(past(...router, mounted, both, 'node:timers:5'), `${both} via`);
    // The table keeps them itself, or the application stands between.
    assert.equal(past(...router, 'node:timers:5'), router[0]);
    assert.equal(past(...router, '/app/b.js:4', gate), router[0]);
    assert.equal(past(gate, ...router), gate);
  });

  it('pass over a tracer that stands in between, also where the stack ends in it', () => {
    const sentry = '/app/node_modules/@sentry/core/server.js:115';
    const wrapped = [
      'node:events:500',
      sentry,
      'node:internal/async_local_storage/async_hooks:9',
      sentry,
    ];
    assert.equal(shown(['/app/a.js:2', ...wrapped, 'node:_http_server:1000']), 'none');
    assert.equal(shown(['/app/a.js:2', ...wrapped]), 'none');
    assert.equal(shown(['/app/a.js:2', ...wrapped, 'node:net:7']), 'node node:net:7 emits');
    assert.equal(
      shown(['/app/a.js:2', ...wrapped, '/app/bus.js:8']),
      'application /app/bus.js:8 emits',
    );
    assert.equal(shown(['/app/a.js:2', 'node:events:500']), 'node node:events:500 emits');
  });

  it('fall back to the package that created the async resource', () => {
    assert.equal(
      shown(['/app/a.js:2'], ['node:net:3', '/app/node_modules/promised/drain.js:5']),
      'package /app/node_modules/promised/drain.js:5 born',
    );
  });
});
