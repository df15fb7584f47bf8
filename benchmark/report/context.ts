import { costsOf, ratioOf, type Run } from '../harness/results.ts';
import { median } from '../harness/statistics.ts';
import { machineText } from './tables.ts';

/** What was measured on one line of Node. */
interface Measured {
  line: string;
  runs: readonly Run[];
}

const BASELINE = 'otel-als';

/** What ours may cost at most, as a share of the baseline: on Nodes without frames and with them. */
const GOALS: Readonly<Record<string, readonly [number, number]>> = {
  'await chain': [1, 1.05],
  'nested async, 10 deep': [1, 1.05],
  'Promise.all of 10': [1, 1.05],
  with: [1, 0.3],
  'with, 3 nested': [1, 0.3],
  'with, a receiver and two arguments': [1, 0.3],
  active: [1, 0.5],
  'bind a function': [0.1, 0.1],
  'call a bound function': [0.5, 0.1],
  'bound emitter: add and remove a listener': [0.25, 0.2],
  'attach and dispose': [1, 0.3],
  'HTTP server': [1, 1],
};

/** The tables of the context managers: ours beside the baseline, what we lose, and everything. */
export function contextTables(byLine: ReadonlyMap<string, readonly Run[]>): string {
  const measured: Measured[] = [...byLine].map(([line, runs]) => ({ line, runs }));
  const all = measured.flatMap(({ runs }) => runs.flatMap(({ records }) => records));
  const names = [...new Set(all.map((one) => one.case))];
  const variants = [...new Set(all.map((one) => one.variant))];
  const head = measured.map(({ line }) => `Node ${line}`);
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  const rule = (count: number): string => row(...Array.from({ length: count }, () => '---'));

  const ours = names.map((name) =>
    row(name, ...measured.map((node) => shown(ratio(node, name, 'clew')))),
  );
  const lost = names.flatMap((name) => {
    const slower = measured.flatMap((node) => {
      const found = ratio(node, name, 'clew');
      return found !== undefined && found > 1.02 ? [`${found.toFixed(2)} on ${node.line}`] : [];
    });
    return slower.length > 0 ? [`- ${name}: ${slower.join(', ')}`] : [];
  });
  const missed = names.flatMap((name) => {
    const goals = GOALS[name];
    if (goals === undefined) return [];
    const over = measured.flatMap((node) => {
      const found = shown(ratio(node, name, 'clew'));
      const goal = goals[Number(node.line) < 24 ? 0 : 1];
      return Number(found) > goal ? [`${found} on ${node.line} (goal ${goal})`] : [];
    });
    return over.length > 0 ? [`- ${name}: ${over.join(', ')}`] : [];
  });
  const everything = names.flatMap((name) =>
    variants
      .filter((variant) => measured.some((node) => find(node, name, variant)))
      .map((variant) =>
        row(name, `\`${variant}\``, ...measured.map((node) => cell(node, name, variant))),
      ),
  );
  return [
    `CPU time of ours as a share of \`AsyncLocalStorageContextManager\`'s of 2.12: medians of interleaved ` +
      `rounds, and a young generation of 4 MB, which stays in the processor's caches.`,
    [row('operation', ...head), rule(head.length + 1), ...ours].join('\n'),
    lost.length > 0 ? `Where ours costs more:\n\n${lost.join('\n')}` : 'Ours costs more nowhere.',
    missed.length > 0 ? `Goals that are missed:\n\n${missed.join('\n')}` : 'No goal is missed.',
    'All managers (`none` is no context manager, `clew-public` ours with the `storage` store, ' +
      '`clew-registration` ours with `listeners: "registration"`, `clew-add-on` ours where a native ' +
      'add-on has been loaded, `otel-als-3` that of 3.1), the ratio to `otel-als` and the cost of an operation:',
    [row('operation', 'manager', ...head), rule(head.length + 2), ...everything].join('\n'),
    `Measured on ${machines(measured)}.`,
  ].join('\n\n');
}

function find(node: Measured, name: string, variant: string): Found | undefined {
  for (const { records } of node.runs) {
    const costs = costsOf(records, name, variant);
    const base = costsOf(records, name, BASELINE);
    const unit = records.find((one) => one.case === name)?.unit ?? '';
    if (costs && base) return { costs, base, unit };
  }
  return undefined;
}

/** The costs of a variant, and those of the baseline in the same run. */
interface Found {
  costs: readonly number[];
  base: readonly number[];
  unit: string;
}

function ratio(node: Measured, name: string, variant: string): number | undefined {
  const found = find(node, name, variant);
  return found && ratioOf(found.costs, found.base);
}

const shown = (value: number | undefined): string => value?.toFixed(2) ?? '–';

function cell(node: Measured, name: string, variant: string): string {
  const found = find(node, name, variant);
  if (found === undefined) return '–';
  const unit = found.unit.replace(' CPU', '');
  return `${shown(ratio(node, name, variant))}, ${median(found.costs).toFixed(0)} ${unit}`;
}

function machines(measured: readonly Measured[]): string {
  const texts = measured.flatMap(({ runs }) => runs.map(({ machine }) => machineText(machine)));
  return [...new Set(texts)].join('; ');
}
