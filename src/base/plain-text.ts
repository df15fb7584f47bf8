/**
 * Text of others (an answer, a file name, an error of a database) as it may stand on a terminal:
 * on one line, without escape sequences and other control characters, without marks that turn the
 * direction of writing around, and not longer than `maxCharacters`.
 */
export function plainText(text: string, maxCharacters = 2000): string {
  const line = text
    .slice(0, maxCharacters + 1)
    .replace(/\s*[\n\r\u2028\u2029]\s*/g, ' ')
    // A whole sequence at once, so that no `[31m` is left of it.
    // eslint-disable-next-line no-control-regex
    .replace(/(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g, '')
    // eslint-disable-next-line no-control-regex
    .replace(/(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g, '')
    // eslint-disable-next-line no-control-regex
    .replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) =>
      character === '\t' ? ' ' : '\ufffd',
    );
  return text.length > maxCharacters ? `${line.slice(0, maxCharacters - 3)}...` : line;
}

/** A copy of plain data in which every text is `plainText`. */
export function plainTexts<Data>(data: Data): Data {
  return JSON.parse(JSON.stringify(data), (_key, value: unknown) =>
    typeof value === 'string' ? plainText(value) : value,
  ) as Data;
}
