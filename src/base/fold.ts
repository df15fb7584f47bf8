const WIDTH = 80;
/** What every line on stderr begins with. */
const PREFIX = 'clew: ';

/**
 * Breaks a line between words into lines that fit 80 columns with their prefix; what goes on is
 * indented. A word that is longer stays whole.
 */
export function fold(line: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const indent = lines.length === 0 ? '' : '  ';
    const longer = current === '' ? `${indent}${word}` : `${current} ${word}`;
    if (current !== '' && PREFIX.length + longer.length > WIDTH) {
      lines.push(current);
      current = `  ${word}`;
    } else current = longer;
  }
  return [...lines, current];
}
