import { median, spread } from '../harness/statistics.ts';
import type { Round } from './measure.ts';

/** What was measured of one variant: rounds, and the milliseconds of its starts. */
export interface Measured {
  rounds: Round[];
  starts: number[];
}

/** One framework's variants as Markdown: what each adds to the bare service, by the same rounds. */
export function renderTable(framework: string, measured: ReadonlyMap<string, Measured>): string {
  const bare = measured.get('bare')!;
  const rows = [...measured].map(([name, { rounds, starts }]) => {
    const values = (field: keyof Round): number[] => rounds.map((round) => round[field]);
    const above = (field: keyof Round): number =>
      median(values(field).map((value, index) => value - (bare.rounds[index]?.[field] ?? NaN)));
    const isBare = name === 'bare';
    return [
      name,
      isBare ? median(values('cpu')).toFixed(0) : signed(above('cpu')),
      Number.isNaN(above('main'))
        ? ''
        : isBare
          ? median(values('main')).toFixed(0)
          : signed(above('main')),
      `${((spread(values('cpu')) / median(values('cpu'))) * 100).toFixed(0)} %`,
      median(values('rate')).toFixed(0),
      median(values('p99')).toFixed(1),
      isBare ? median(values('memory')).toFixed(0) : signed(above('memory')),
      isBare ? median(starts).toFixed(0) : signed(median(starts) - median(bare.starts)),
      median(values('bytes')).toFixed(0),
    ];
  });
  const head = [
    framework,
    'CPU us',
    'main thread us',
    'spread',
    'requests/s',
    'p99 ms',
    'memory MB',
    'start ms',
    'bytes sent',
  ];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(0)}`;
}
