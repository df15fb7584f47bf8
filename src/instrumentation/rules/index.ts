import { environment } from '../../base/environment.ts';
import { sayOnce } from '../../base/log.ts';
import { readSwitch } from '../../base/settings-reader.ts';
import { hookImports } from '../imports/import-hooks.ts';
import { isSupported, onModule, type ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';
import { tryWrap, type ReplaceModule } from '../wrap.ts';
import { BUILT_IN_RULES } from './built-in.ts';
import { repairGlobals } from './globals.ts';
import { readRuleFile } from './rule-file.ts';
import { WINSTON_BATCHES } from './winston.ts';
import { readRuleSet, type ModuleRules, type RuleSet } from './rule-set.ts';

export { RepairSpanProcessor } from '../wrap/marker.ts';
export { findRuleFile, RULE_FILE } from './rule-file.ts';
export type { RuleData, RuleSet } from './rule-set.ts';

/** Options of `enableRules`. */
export interface RuleOptions {
  /** Apply the built-in rules. Default: true. */
  builtIn?: boolean;
  /** Rules in code. */
  rules?: RuleSet;
  /** Paths of rule files (`clew.rules.json`). */
  files?: readonly string[];
  /** Modules whose built-in rules are not applied. */
  except?: readonly string[];
}

/**
 * Applies repair rules: those for Node's own modules now, all others when their library is loaded.
 *
 * Call it before the application loads its libraries. Returns a function that undoes all of them.
 * `CLEW_REPAIR=off` turns every rule off. Throws `ERR_RULE` for a mistake in a rule.
 */
export function enableRules(options: RuleOptions = {}): Undo {
  if (isSwitchedOff()) return () => undefined;
  const { builtIn = true, rules = {}, files = [], except = [] } = options;
  const own = [
    ...readRuleSet(rules, (path) => ['rules', ...path].join(' > ')),
    ...files.flatMap((file) => readRuleFile(file)),
  ];
  const builtInRules = builtIn
    ? builtInModules().filter(({ module }) => !except.includes(packageOf(module)))
    : [];
  const undos = [...builtInRules, ...own].map((each) => registerModule(each));
  if (builtIn && !except.includes('winston')) undos.push(onModule(WINSTON_BATCHES));
  if (builtIn) undos.push(repairGlobals(except));
  undos.push(hookImports());
  return () => {
    for (const undo of undos.splice(0).toReversed()) undo();
  };
}

/** Whether the environment turns all rules off. */
export function isSwitchedOff(env: NodeJS.ProcessEnv = environment()): boolean {
  return readSwitch(env['CLEW_REPAIR']?.trim() ?? '') === false;
}

/** The built-in rules, read once. @internal */
export function builtInModules(): ModuleRules[] {
  return readRuleSet(BUILT_IN_RULES, (path) => ['built-in', ...path].join(' > '));
}

function registerModule({ module, versions, rules }: ModuleRules): Undo {
  return onModule({
    module,
    // A version outside the range is no news: later ones often have no need of the rule.
    versions: '*',
    patch: (exports: ModuleExports, version, replace) =>
      applyRules(exports as object, { module, versions, rules }, version, replace),
  });
}

const packageOf = (module: string): string =>
  module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');

/**
 * Applies the rules of one module to its exports. A rule whose target is not there is said once
 * and skipped: the others hold. @internal
 */
export function applyRules(
  exports: object,
  { module, rules, versions }: ModuleRules,
  version: string,
  replace?: ReplaceModule,
): Undo | undefined {
  if (!isSupported(version, versions)) return undefined;
  const undos: Undo[] = [];
  let current = exports;
  const replaceCurrent = replace && ((next: unknown) => replace((current = next as object)));
  for (const rule of rules) {
    const undo = tryWrap(current, rule, replaceCurrent);
    if (undo) undos.push(undo);
    else {
      const path = [rule.on, rule.method].flat().filter(Boolean).join(' ');
      sayOnce(
        'debug',
        `rule:${module}@${version}:${path}`,
        `${module} ${version} has no \`${path}\`: its ${rule.kind} rule is not applied.`,
      );
    }
  }
  return () => {
    for (const undo of undos.toReversed()) undo();
  };
}
