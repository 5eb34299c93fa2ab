// What of the overview one looks at, and which rows stand where.
import type { Overview, OverviewRow } from "../api/types";

export const sorts = ["worst", "name", "rate", "p95", "errors", "lag", "loss"] as const;
export type Sort = (typeof sorts)[number];

export interface View {
  sort: Sort;
  search: string;
}

/** From the URL, where anything may stand. */
export function viewOf(query: URLSearchParams): View {
  const sort = sorts.find((one) => one === query.get("sort")) ?? "worst";
  return { sort, search: query.get("search") ?? "" };
}

export interface Range {
  offset: number;
  limit: number;
}

const spare = 40; // rows that are asked for on either side of those in view
const most = 200; // of one answer
const kept = 200; // rows on either side of an answer's that stay from earlier ones, for who scrolls back

/** What to ask for when the rows from `first` to before `end` show. */
export function rangeFor(first: number, end: number): Range {
  const offset = Math.max(0, first - spare);
  return { offset, limit: Math.min(most, Math.max(1, end + spare - offset)) };
}

export function covers(range: Range, first: number, end: number): boolean {
  return range.offset <= first && end <= range.offset + range.limit;
}

/** One place of the table. `old`: the last answer did not have this row, its figures are those of one before. */
export interface Placed {
  row: OverviewRow;
  old: boolean;
}

export interface Shown {
  view: View;
  answer: Overview;
  range: Range;
  rows: ReadonlyMap<number, Placed>; // by index
  held: boolean; // the order is not the answer's
}

/**
 * The rows of a new answer in their places. With `hold`, channels stay where they were; places that were not filled
 * before get the channels that have none, in the answer's order. Rows near by that were not asked for stay as they were.
 */
export function placed(before: Shown | undefined, view: View, range: Range, answer: Overview, hold: boolean): Shown {
  const rows = new Map<number, Placed>();
  const within = (index: number, more: number) =>
    index >= range.offset - more && index < range.offset + range.limit + more && index < answer.matching;
  const here = (index: number) => within(index, 0);
  const same = before && before.view.sort === view.sort && before.view.search === view.search;
  if (same)
    for (const [index, { row }] of before.rows) if (!here(index) && within(index, kept)) rows.set(index, { row, old: true });
  if (hold && same) {
    const found = new Map(answer.channels.map((row) => [row.channel, row]));
    for (const [index, { row }] of before.rows) {
      if (!here(index)) continue;
      const now = found.get(row.channel);
      rows.set(index, { row: now ?? row, old: !now });
      found.delete(row.channel);
    }
    const left = found.values();
    for (let index = range.offset; here(index); ++index) {
      if (rows.has(index)) continue;
      const row = left.next().value;
      if (!row) break;
      rows.set(index, { row, old: false });
    }
  } else {
    answer.channels.forEach((row, i) => rows.set(range.offset + i, { row, old: false }));
  }
  const held = answer.channels.some((row, i) => rows.get(range.offset + i)?.row.channel !== row.channel);
  return { view, answer, range, rows, held };
}
