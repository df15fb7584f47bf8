import { context, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { restore } from 'sinon';

import { endLeftovers } from './support/run-node.ts';
import { stopServices } from './support/services.ts';
import { closePages } from './view-page/support/close-pages.ts';
import { forgetWhatWasSaid, setLogLevel } from '../src/base/log.ts';

// Mocha re-emits unhandled rejections, which turns off Node's own failing: a failed assertion in a
// floated callback would pass.
process.on('unhandledRejection', (reason) => {
  throw reason;
});

setLogLevel('none');

export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    // Some servers end in their own time.
    this.timeout(120_000);
    await closePages();
    await stopServices();
  },
  async afterEach(): Promise<void> {
    await endLeftovers();
    restore();
    trace.disable();
    context.disable();
    propagation.disable();
    metrics.disable();
    diag.disable();
    forgetWhatWasSaid();
  },
};
