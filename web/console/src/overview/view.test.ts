import { describe, expect, it } from "vitest";
import type { Overview, OverviewRow } from "../api/types";
import { covers, placed, rangeFor, viewOf, type Shown, type View } from "./view";

const row = (channel: string, p95 = 0) => ({ channel, name: channel, p95, troubles: [] }) as unknown as OverviewRow;
const answer = (matching: number, ...channels: OverviewRow[]) => ({ total: matching, matching, channels }) as unknown as Overview;
const view: View = { sort: "worst", search: "" };
const range = { offset: 0, limit: 3 };
const names = (shown: Shown) => [...shown.rows].sort(([a], [b]) => a - b).map(([index, { row, old }]) => `${index}${row.channel}${old ? "?" : ""}`);

describe("viewOf", () => {
  it("takes what the URL has", () => expect(viewOf(new URLSearchParams("sort=p95&search=a+b"))).toEqual({ sort: "p95", search: "a b" }));
  it("takes no order that there is not", () => expect(viewOf(new URLSearchParams("sort=constructor")).sort).toBe("worst"));
});

describe("rangeFor", () => {
  it("asks for some more on both sides", () => expect(rangeFor(100, 125)).toEqual({ offset: 60, limit: 105 }));
  it("begins at 0 and asks for 200 at most", () => expect(rangeFor(10, 1000)).toEqual({ offset: 0, limit: 200 }));
  it("covers what shows", () => {
    expect(covers(rangeFor(100, 125), 61, 165)).toBe(true);
    expect(covers(rangeFor(100, 125), 59, 70)).toBe(false);
    expect(covers(rangeFor(100, 125), 61, 166)).toBe(false);
  });
});

describe("placed", () => {
  const first = placed(undefined, view, range, answer(9, row("a"), row("b"), row("c")), true);

  it("follows the answer's order", () => {
    const next = placed(first, view, range, answer(9, row("c"), row("a"), row("b")), false);
    expect(names(next)).toEqual(["0c", "1a", "2b"]);
    expect(next.held).toBe(false);
  });
  it("holds rows where they were, with new figures", () => {
    const next = placed(first, view, range, answer(9, row("c", 7), row("a"), row("b")), true);
    expect(names(next)).toEqual(["0a", "1b", "2c"]);
    expect(next.rows.get(2)!.row.p95).toBe(7);
    expect(next.held).toBe(true);
  });
  it("says which held row the answer did not have", () =>
    expect(names(placed(first, view, range, answer(9, row("d"), row("a"), row("c")), true))).toEqual(["0a", "1b?", "2c"]));
  it("fills places that were empty while it holds", () =>
    expect(names(placed(first, view, { offset: 1, limit: 4 }, answer(9, row("a"), row("c"), row("d"), row("b")), true))).toEqual(
      ["0a?", "1b", "2c", "3a", "4d"],
    ));
  it("holds nothing of another view", () =>
    expect(names(placed(first, { sort: "name", search: "" }, range, answer(9, row("c"), row("a")), true))).toEqual(["0c", "1a"]));
  it("has no more rows than match", () =>
    expect(names(placed(first, view, range, answer(1, row("b")), true))).toEqual(["0a?"]));
  it("keeps rows near by and forgets those far away", () => {
    expect(names(placed(first, view, { offset: 10, limit: 1 }, answer(99, row("k")), false))).toEqual(["0a?", "1b?", "2c?", "10k"]);
    expect(names(placed(first, view, { offset: 202, limit: 1 }, answer(999, row("k")), false))).toEqual(["2c?", "202k"]);
  });
});
