import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { AsyncHooksContextManager } from '../../../src/index.ts';
import { surviveAll } from './run.ts';

/** Writes what survives under one manager, in a process of its own, as JSON. */
const variant = process.argv[2];
const manager =
  variant === 'otel-als'
    ? new AsyncLocalStorageContextManager()
    : new AsyncHooksContextManager(variant === 'registration' ? { listeners: 'registration' } : {});
manager.enable();
process.on('warning', () => undefined);
const results = await surviveAll(manager);
process.stdout.write(JSON.stringify(results), () => process.exit());
