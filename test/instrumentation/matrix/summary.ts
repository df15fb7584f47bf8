/*
 * The table of docs/databases.md, made from the page of all forms: so the two cannot say different things.
 */

const TOOLS = ['clew', 'official', 'dd-trace'] as const;

/** How many forms of a client a package gets right. */
interface Score {
  contexts: number;
  spans: number;
}

/** A row for each client: in how many of its forms contexts and spans are right, whose ever. */
export function summaryOf(page: string): string {
  const sections = page.split(/^## /m).slice(1);
  // A page of a run without a tool says nothing of it.
  const tools = TOOLS.filter((tool) => tool === 'clew' || page.includes(`${tool}: context`));
  const rows = sections.flatMap((section) => {
    const client = section.slice(0, section.indexOf('\n')).trim();
    const forms = section
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(2)
      .map((line) =>
        line
          .split('|')
          .slice(3, -1)
          .map((cell) => cell.trim()),
      );
    if (forms.length === 0) return [];
    const head = section.split('\n').find((line) => line.startsWith('| ')) ?? '';
    const cells = [`\`${client}\``, forms.length];
    for (const tool of tools) {
      const index = columnOf(head, tool);
      const score = index < 0 ? undefined : scoreOf(forms, index);
      cells.push(score?.contexts ?? 'none', score?.spans ?? 'none');
    }
    return [`| ${cells.join(' | ')} |`];
  });
  const columns = tools.flatMap((tool) => [`${tool}: own context`, `${tool}: right spans`]);
  const head = `| ${['client', 'forms', ...columns].join(' | ')} |`;
  return [head, head.replace(/[^|]+/g, ' --- '), ...rows].join('\n');
}

/** Of forms as cells, with a package's contexts at `index` and its spans behind them. */
function scoreOf(forms: string[][], index: number): Score {
  return {
    contexts: forms.filter((cells) => cells[index] === 'own').length,
    // Another number than there should be is told as "0 for 1".
    spans: forms.filter((cells) => /^\d+$/.test(cells[index + 1] ?? '')).length,
  };
}

/** Where the cells of a tool begin, after setting and form; -1 if it has none. */
function columnOf(head: string, tool: (typeof TOOLS)[number]): number {
  const names = head
    .split('|')
    .slice(3, -1)
    .map((name) => name.trim());
  return names.includes('context') ? (tool === 'clew' ? 0 : -1) : names.indexOf(`${tool}: context`);
}
