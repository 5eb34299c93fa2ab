// Where a message holds what is looked for.
import type { Piece } from "./sgr";

export interface MarkedPiece extends Piece {
  marked?: boolean;
}

/** Pieces cut so that each is marked as a whole or not at all. `needles`: lower case. */
export function marked(pieces: Piece[], needles: string[]): MarkedPiece[] {
  if (needles.length === 0) return pieces;
  const ranges = rangesOf(pieces.map((piece) => piece.text).join(""), needles);
  if (ranges.length === 0) return pieces;
  const out: MarkedPiece[] = [];
  let at = 0;
  let next = 0;
  for (const piece of pieces) {
    const end = at + piece.text.length;
    for (let from = at; from < end; ) {
      while (next < ranges.length && ranges[next]![1] <= from) next += 1;
      const [begin, stop] = ranges[next] ?? [Infinity, Infinity];
      const inside = begin <= from;
      const to = Math.min(end, inside ? stop : begin);
      const cut: MarkedPiece = { ...piece, text: piece.text.slice(from - at, to - at) };
      if (inside) cut.marked = true;
      out.push(cut);
      from = to;
    }
    at = end;
  }
  return out;
}

/** In order, none overlapping another. */
export function rangesOf(text: string, needles: string[], most = 200): [number, number][] {
  const low = text.toLowerCase();
  if (low.length !== text.length) return []; // a letter that changes its length with its case: nothing is marked
  const found: [number, number][] = [];
  for (const needle of needles) {
    if (needle === "") continue;
    for (let at = low.indexOf(needle); at >= 0 && found.length < most; at = low.indexOf(needle, at + needle.length))
      found.push([at, at + needle.length]);
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const ranges: [number, number][] = [];
  for (const [begin, end] of found) {
    const last = ranges[ranges.length - 1];
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end);
    else ranges.push([begin, end]);
  }
  return ranges;
}
