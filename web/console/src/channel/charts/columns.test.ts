import { describe, expect, it } from "vitest";
import type { MetricPoint } from "../../api/types";
import { column, counts, isEmpty, maxOver, meanOver, newest, rates, stacked, together, total } from "./columns";
import type { KeptSeries } from "./kept";
import type { Stretch } from "./stretch";

const stretch: Stretch = { from: 600, to: 900, step: 60, wholeFrom: 660, now: 870 };
const point = (fields: Partial<MetricPoint>): MetricPoint => ({
  time: "", count: 1, sum: 1, min: 1, max: 1, mean: 1, median: 1, p95: 1, p99: 1, last: 1, ...fields,
});
const series = (points: Record<number, Partial<MetricPoint>>, source = ""): KeptSeries => ({
  name: "x", source, unit: "", kind: "router", points: new Map(Object.entries(points).map(([time, one]) => [Number(time), point(one)])),
});

describe("columns", () => {
  it("leave a gap where there is no quantile", () => {
    const values = column(series({ 660: { p95: 0.5 }, 780: { p95: 0 }, 840: { p95: null as unknown as number } }), stretch, (one) => one.p95);
    expect(values).toEqual([null, 0.5, null, 0, null]);
    expect(column(undefined, stretch, (one) => one.p95)).toEqual([null, null, null, null, null]);
  });

  it("count nothing as 0 only where everything is known", () => {
    // 600 is from before what is kept whole, 840 has not ended.
    expect(counts(series({ 720: { count: 5 } }), stretch, (one) => one.count)).toEqual([null, 0, 5, 0, null]);
    expect(counts(series({ 600: { count: 2 }, 840: { count: 7 } }), stretch, (one) => one.count)).toEqual([2, 0, 0, 0, 7]);
  });

  it("spread what came over a step, and over what has passed of the last one", () => {
    expect(rates(series({ 660: { count: 120 }, 840: { count: 60 } }), stretch, (one) => one.count)).toEqual([null, 2, 0, 0, 2]);
    const elsewhere = { ...stretch, now: 90_000 };
    expect(rates(series({ 840: { count: 60 } }), elsewhere, (one) => one.count)[4]).toBe(1);
  });

  it("fill a class of which nothing came beside one of which something did", () => {
    expect(together([[null, 3, null, 4], [null, null, null, null]], stretch)).toEqual([[null, 3, null, 4], [null, 0, null, 0]]);
    expect(together([[3], [null]], { ...stretch, wholeFrom: 900 })).toEqual([[3], [null]]);
  });

  it("take the mean of all values over dynos, and the greatest", () => {
    const all = [series({ 600: { sum: 10, count: 1, max: 10 }, 660: { sum: 4, count: 2, max: 3 } }, "web.1"), series({ 600: { sum: 60, count: 3, max: 30 } }, "web.2")];
    expect(meanOver(all, stretch)).toEqual([17.5, 2, null, null, null]);
    expect(maxOver(all, stretch)).toEqual([30, 3, null, null, null]);
    expect(maxOver([series({ 600: { max: -2 } })], stretch)[0]).toBe(-2);
  });

  it("stand on each other, with a gap only where none has a value", () => {
    expect(stacked([[1, null, null, 0], [2, 2, null, null]])).toEqual([[1, null, null, 0], [3, 2, null, 0]]);
    expect(stacked([])).toEqual([]);
  });

  it("know their newest step, their sum, and whether they say anything", () => {
    expect(newest([[1, null, null], [null, 2, null]])).toBe(1);
    expect(newest([[null], []])).toBeNull();
    expect(total([1, null, 2])).toBe(3);
    expect(isEmpty([null, null])).toBe(true);
    expect(isEmpty([null, 0])).toBe(false);
  });
});
