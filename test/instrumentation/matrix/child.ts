import { register } from 'node:module';

import { getInstrumentations, hookImports } from '../../../src/instrumentation/index.ts';
import { registerDatadog } from './datadog.ts';
import { registerTelemetry } from '../support/telemetry.ts';
import { SUITES } from './suites.ts';
import { tryForm } from './trial.ts';
import { verdictOf } from './verdict.ts';

/*
 * Tries all forms of one client under one instrumentation, in a process of its own:
 * `node child.js <client> <variant> <url>`. Prints one line of JSON for each form and mode.
 */
const [client = '', variant = '', url = ''] = process.argv.slice(2);

// A callback that throws in a place nobody catches is part of what is looked at.
process.on('uncaughtException', () => undefined);

// Once and first: OpenTelemetry's own instrumentations keep the tracer that they found.
const telemetry = variant === 'dd-trace' ? await registerDatadog(client) : registerTelemetry();
if (variant === 'clew') {
  for (const instrumentation of getInstrumentations({ all: { requireParent: false } }))
    instrumentation.enable();
  hookImports();
} else if (variant === 'official') {
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
  const { registerInstrumentations } = await import('@opentelemetry/instrumentation');
  const { officialInstrumentations } = await import('./official.ts');
  registerInstrumentations({ instrumentations: await officialInstrumentations(client) });
}

const suite = await SUITES[client]!();
for (const setting of suite.settings) {
  for (const form of setting.forms) {
    // dd-trace carries its span and nothing else: without one there is nothing to look at.
    for (const withSpan of variant === 'dd-trace' ? [true] : [true, false]) {
      const trial = await tryForm(
        setting,
        form,
        url,
        telemetry,
        withSpan ? 'sampled span' : 'no span',
      );
      const verdict = verdictOf(trial);
      const line = { setting: setting.name, form: form.name, withSpan, ...verdict };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
  }
}
process.exit(0);
