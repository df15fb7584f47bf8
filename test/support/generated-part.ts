/** `page` with `text` between the two comments that begin and end what is generated. */
export function withGenerated(page: string, name: string, text: string): string {
  const { from, to } = placeOf(page, name);
  return `${page.slice(0, from)}\n\n${text}\n\n${page.slice(to)}`;
}

/** What is between these comments now. */
export function generatedPart(page: string, name: string): string {
  const { from, to } = placeOf(page, name);
  return page.slice(from, to).trim();
}

/** Whether there is a place of this name. */
export function hasGenerated(page: string, name: string): boolean {
  return page.includes(`<!-- begin ${name} -->`);
}

function placeOf(page: string, name: string): { from: number; to: number } {
  const begin = `<!-- begin ${name} -->`;
  const from = page.indexOf(begin) + begin.length;
  const to = page.indexOf(`<!-- end ${name} -->`);
  if (from < begin.length || to < from) throw new Error(`There is no place for ${name}`);
  return { from, to };
}
