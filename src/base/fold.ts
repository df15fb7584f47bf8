/** What every line on stderr begins with. */
const PREFIX = 'clew: ';

/**
 * Breaks a line between words into lines that fit `width` columns with their prefix; what goes on is
 * indented. A word that is longer stays whole.
 */
export function fold(line: string, width = 80): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const indent = lines.length === 0 ? '' : '  ';
    const longer = current === '' ? `${indent}${word}` : `${current} ${word}`;
    if (current !== '' && PREFIX.length + longer.length > width) {
      lines.push(current);
      current = `  ${word}`;
    } else current = longer;
  }
  return [...lines, current];
}
