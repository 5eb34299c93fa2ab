import { describe, expect, it } from "vitest";
import type { MetricPoint, Metrics, PlatformEvent } from "../../api/types";
import { merged, named, whole } from "./kept";
import { iso, ranges } from "./stretch";

const range = { ...ranges[0]!, seconds: 300 };
const point = (time: number, count: number): MetricPoint => ({ time: iso(time), count, sum: count, min: 1, max: 1, mean: 1, median: 1, p95: 1, p99: 1, last: 1 });
const event = (time: number): PlatformEvent => ({ time: iso(time), event: "deploy", procid: "api", text: `at ${time}` });
const answer = (from: number, to: number, points: [number, number][], more: Partial<Metrics> = {}): Metrics => ({
  from: iso(from), to: iso(to), step: 60, whole_from: iso(660), late: 0, events: [],
  series: [{ name: "router.service", source: "", unit: "seconds", kind: "router", points: points.map(([time, count]) => point(time, count)) }], ...more,
});
const countsOf = (kept: ReturnType<typeof merged>) => [...whole(kept, "router.service")!.points].map(([time, one]) => [time, one.count]).sort((a, b) => a[0]! - b[0]!);

describe("what is kept", () => {
  it("has the answer's range, without the step that is cut", () => {
    const kept = merged(undefined, answer(540, 900, [[540, 1], [600, 2], [840, 3]]), range, 870);
    expect(kept.stretch).toEqual({ from: 600, to: 900, step: 60, wholeFrom: 660, now: 870 });
    expect(countsOf(kept)).toEqual([[600, 2], [840, 3]]);
  });

  it("takes a newer answer for its time alone, and lets go what is too old", () => {
    const first = merged(undefined, answer(600, 900, [[600, 1], [780, 2], [840, 3]], { events: [event(610), event(800)] }), range, 870);
    const next = merged(first, answer(780, 960, [[840, 5], [900, 6]], { events: [event(800), event(910)], late: 4 }), range, 930);
    expect(countsOf(next)).toEqual([[840, 5], [900, 6]]); // 780 is gone because the answer says so, 600 because it is old
    expect(next.events.map((one) => one.text)).toEqual(["at 800", "at 910"]);
    expect(next.late).toBe(4);
    expect(countsOf(first)).toEqual([[600, 1], [780, 2], [840, 3]]);
  });

  it("drops series of which nothing is left", () => {
    const first = merged(undefined, answer(600, 900, [[600, 1]]), range, 870);
    expect(merged(first, answer(1200, 1260, [], { series: [] }), range, 1230).series).toEqual([]);
  });

  it("never says whole from before or behind its time", () => {
    expect(merged(undefined, answer(600, 900, [], { whole_from: iso(0) }), range, 870).stretch.wholeFrom).toBe(600);
    expect(merged(undefined, answer(600, 900, [], { whole_from: iso(5000) }), range, 870).stretch.wholeFrom).toBe(900);
  });

  it("does not take a user's series for the router's", () => {
    const kept = merged(undefined, answer(600, 900, [], {
      series: [{ name: "router.service", source: "", unit: "seconds", kind: "measure", points: [point(660, 1)] },
        { name: "router.service", source: "web.1", unit: "seconds", kind: "router_dyno", points: [point(660, 1)] }],
    }), range, 870);
    expect(whole(kept, "router.service")).toBeUndefined();
    expect(named(kept, "measure", "router.service")).toHaveLength(1);
  });
});
