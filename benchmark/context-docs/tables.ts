import { median } from '../harness/statistics.ts';

/** One record of `npm run bench -- --json`: what an operation cost in each round. */
export interface Measurement {
  case: string;
  variant: string;
  unit: string;
  costs: number[];
}

export interface Measured {
  line: string;
  machine: { node: string; cpu: string; cores: number; date: string; packages: object };
  cases: Measurement[];
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

/** The tables of the docs: ours beside the baseline, what we lose, and everything. */
export function tables(measured: readonly Measured[]): string {
  const names = [...new Set(measured.flatMap(({ cases }) => cases.map((one) => one.case)))];
  const variants = [...new Set(measured.flatMap(({ cases }) => cases.map((one) => one.variant)))];
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
    `CPU time of ours as a share of \`AsyncLocalStorageContextManager\`'s: medians of interleaved rounds, ` +
      `three processes for each case and manager, and a young generation of 4 MB, which stays in ` +
      `the processor's caches. Measured on ${machines(measured)}.`,
    [row('operation', ...head), rule(head.length + 1), ...ours].join('\n'),
    lost.length > 0 ? `Where ours costs more:\n\n${lost.join('\n')}` : 'Ours costs more nowhere.',
    missed.length > 0 ? `Goals that are missed:\n\n${missed.join('\n')}` : 'No goal is missed.',
    'All managers (`none` is no context manager, `clew-public` ours with the `storage` store, ' +
      '`clew-registration` ours with `listeners: "registration"`, `clew-add-on` ours where a native ' +
      'add-on has been loaded), the cost of an operation and its ratio to `otel-als`:',
    [row('operation', 'manager', ...head), rule(head.length + 2), ...everything].join('\n'),
  ].join('\n\n');
}

function find(node: Measured, name: string, variant: string): Measurement | undefined {
  return node.cases.find((one) => one.case === name && one.variant === variant);
}

/** The median of the ratios of each round, as `npm run bench` prints it. */
function ratio(node: Measured, name: string, variant: string): number | undefined {
  const costs = find(node, name, variant)?.costs;
  const base = find(node, name, BASELINE)?.costs;
  if (costs === undefined || base === undefined) return undefined;
  return median(costs.map((cost, round) => cost / (base[round] ?? Number.NaN)));
}

const shown = (value: number | undefined): string => value?.toFixed(2) ?? '–';

function cell(node: Measured, name: string, variant: string): string {
  const found = find(node, name, variant);
  if (found === undefined) return '–';
  const unit = found.unit.replace(' CPU', '').replace('us', 'µs');
  return `${median(found.costs).toFixed(0)} ${unit}, ${shown(ratio(node, name, variant))}`;
}

function machines(measured: readonly Measured[]): string {
  const { machine } = measured[0] as Measured;
  const nodes = measured.map((node) => node.machine.node).join(', ');
  const packages = Object.entries(machine.packages)
    .map(([name, version]) => `${name} ${String(version)}`)
    .join(' and ');
  return `${machine.cpu} with ${machine.cores} cores, Node ${nodes}, ${machine.date.slice(0, 10)}, beside ${packages}`;
}
