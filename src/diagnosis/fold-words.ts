/** Breaks between words; a word that is longer than a line is broken itself. */
export function foldWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    while (word.length > width) {
      if (line) lines.push(line);
      line = '';
      lines.push(word.slice(0, width));
      word = word.slice(width);
    }
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return line ? [...lines, line] : lines;
}

/** Lines of at most `width`, all but the first one indented. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const [first = '', ...rest] = foldWords(text, width - indent.length);
  return [first, ...rest.map((line) => indent + line)];
}
