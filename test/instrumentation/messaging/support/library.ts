import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import {
  MessagingInstrumentation,
  type MessagingConfig,
  type MessagingName,
} from '../../../../src/instrumentation/index.ts';
import { MESSAGING } from '../../../../src/instrumentation/messaging/index.ts';
import type { Undo } from '../../../../src/base/patch.ts';

const require = createRequire(import.meta.url);

/** An instrumentation of a library that is installed as `alias`: each of its modules, by hand. */
export interface Instrumented {
  enable(): void;
  disable(): void;
  setConfig(config: MessagingConfig): void;
}

export function instrumentedLibrary(
  name: MessagingName,
  alias: string,
  config: MessagingConfig = {},
): Instrumented {
  const instrumentation = new MessagingInstrumentation(MESSAGING[name], config);
  let undos: Undo[] = [];
  return {
    enable() {
      undos = MESSAGING[name].modules.map(({ module }) =>
        instrumentation.instrument(requireFile(module, alias)),
      );
    },
    disable() {
      for (const undo of undos.splice(0).toReversed()) undo();
    },
    setConfig: (own) => instrumentation.setConfig(own),
  };
}

/** A module that a package may not export: `amqplib/lib/channel` of the one installed as `alias`. */
export function requireFile(module: string, alias: string): Record<string, unknown> {
  const parts = module.split('/');
  const inside = parts.slice(module.startsWith('@') ? 2 : 1);
  if (inside.length === 0) return require(alias) as Record<string, unknown>;
  return require(join(folderOf(alias), ...inside)) as Record<string, unknown>;
}

function folderOf(alias: string): string {
  for (const folder of require.resolve.paths(alias) ?? []) {
    try {
      return dirname(require.resolve(join(folder, alias, 'package.json')));
    } catch {
      // In the next one.
    }
  }
  throw new Error(`${alias} is not installed`);
}

/** The same for one package of an instrumentation that knows several, installed as `alias`. */
export function instrumentedModules(
  name: MessagingName,
  packageName: string,
  alias: string,
): Instrumented {
  const instrumentation = new MessagingInstrumentation(MESSAGING[name]);
  let undos: Undo[] = [];
  return {
    enable() {
      undos = MESSAGING[name].modules
        .filter(({ module }) => module.startsWith(`${packageName}/`))
        .map(({ module }) => instrumentation.instrument(requireFile(module, alias)));
    },
    disable() {
      for (const undo of undos.splice(0).toReversed()) undo();
    },
    setConfig: (own) => instrumentation.setConfig(own),
  };
}
