/*
 * The README's table, made from the page of all forms: so the two cannot say different things.
 */

/** How many forms of a client a package gets right. */
interface Score {
  contexts: number;
  spans: number;
}

/** A row for each client: in how many of its forms contexts and spans are right, whose ever. */
export function summaryOf(page: string): string {
  const sections = page.split(/^## /m).slice(1);
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
    const ours = scoreOf(forms, 0);
    const theirs = forms[0]!.length > 2 ? scoreOf(forms, 2) : undefined;
    const cells = [
      `\`${client}\``,
      forms.length,
      ours.contexts,
      ours.spans,
      theirs?.contexts ?? 'none',
      theirs?.spans ?? 'none',
    ];
    return [`| ${cells.join(' | ')} |`];
  });
  const head =
    '| client | forms | clew: own context | clew: right spans | official: own context | official: right spans |';
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
