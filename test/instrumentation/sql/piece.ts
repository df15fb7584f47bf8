/** A part of a statement, what should be shown of it, and what it adds to the summary. */
export interface Piece {
  sql: string;
  shown: string;
  parts: string[];
}

export function text(sql: string): Piece {
  return { sql, shown: sql, parts: [] };
}

export function cat(...pieces: Piece[]): Piece {
  return {
    sql: pieces.map((piece) => piece.sql).join(''),
    shown: pieces.map((piece) => piece.shown).join(''),
    parts: pieces.flatMap((piece) => piece.parts),
  };
}

export function separated(pieces: Piece[], separator: string): Piece[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [piece] : [text(separator), piece]));
}
