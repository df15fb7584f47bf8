import assert from 'node:assert/strict';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../src/instrumentation/index.ts';
import { optionsOf, type ClientName } from '../../../src/instrumentation/client-options.ts';
import type { FormSuite } from './form.ts';

/** A client and the drivers underneath, instrumented. */
export interface InstrumentedSuite {
  /** Configures the client and its drivers anew. */
  configure(config: ClientConfig): void;
  undo(): void;
}

/** Instruments the client of `suite`; with `exports`, those by hand and not what has its name. */
export function instrumentSuite(suite: FormSuite, exports: object[] = []): InstrumentedSuite {
  const undos: (() => void)[] = [];
  const all = getInstrumentations();
  const named = (name: string): Instrumentation | undefined =>
    all.find(({ instrumentationName }) => instrumentationName === `clew/${name}`);
  const own = named(suite.client);
  assert.ok(own, `There is no instrumentation for ${suite.client}`);
  if (exports.length === 0) own.enable();
  for (const one of exports) undos.push(own.instrument(one));
  suite.instrument?.((one) => undos.push(own.instrument(one)));
  const drivers = (suite.drivers ?? []).map((name) => named(name)!);
  for (const driver of drivers) driver.enable();
  return {
    configure: (config) => {
      for (const one of [own, ...drivers]) {
        one.setConfig(
          optionsOf(one.instrumentationName.slice('clew/'.length) as ClientName, config),
        );
      }
    },
    undo: () => {
      for (const undo of undos) undo();
      for (const one of [own, ...drivers]) one.disable();
    },
  };
}
