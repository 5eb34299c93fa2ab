import { describe, expect, it } from "vitest";
import type { MetricPoint } from "../../api/types";
import { codeNames, errors, eventsAt } from "./codes";
import type { Kept, KeptSeries } from "./kept";
import { concurrency, load, memory, own, queueing, responseTime, throughput } from "./specs";
import { iso } from "./stretch";
import { describe as words, shownStep, tickText, valueText } from "./words";
import { ranges } from "./stretch";

const point = (fields: Partial<MetricPoint>): MetricPoint => ({ time: "", count: 1, sum: 1, min: 1, max: 1, mean: 1, median: 1, p95: 1, p99: 1, last: 1, ...fields });
const series = (kind: string, name: string, points: Record<number, Partial<MetricPoint>>, source = "", unit = ""): KeptSeries => ({
  kind, name, source, unit, points: new Map(Object.entries(points).map(([time, one]) => [Number(time), point(one)])),
});
const kept = (all: KeptSeries[], events: Kept["events"] = []): Kept => ({
  stretch: { from: 600, to: 780, step: 60, wholeFrom: 600, now: 790 }, series: all, events, late: 0,
});
const values = (spec: { lines: { key: string; values: unknown }[] }) => Object.fromEntries(spec.lines.map((line) => [line.key, line.values]));
const all = () => true;

describe("charts", () => {
  it("response time has its four quantiles, of the channel alone", () => {
    const spec = responseTime(kept([
      series("router", "router.service", { 660: { median: 0.1, p95: 0.2, p99: 0.3, max: 4 } }), series("router_dyno", "router.service", { 600: { median: 9 } }, "web.1"),
    ]));
    expect(values(spec)).toEqual({ p50: [null, 0.1, null], p95: [null, 0.2, null], p99: [null, 0.3, null], max: [null, 4, null] });
    expect(spec.missing).toBeUndefined();
    expect(responseTime(kept([])).missing).toMatch(/router line/);
  });

  it("throughput is per second, by classes that came, in one order", () => {
    const spec = throughput(kept([series("router", "router.status.5xx", { 660: { count: 6 } }), series("router", "router.status.2xx", { 600: { count: 60 }, 660: { count: 30 } })]));
    expect(spec.lines.map((line) => line.key)).toEqual(["2xx", "5xx"]);
    expect(values(spec)).toEqual({ "2xx": [1, 0.5, 0], "5xx": [0, 0.1, 0] });
  });

  it("memory is of the wanted dynos, with the quota dashed", () => {
    const spec = memory(kept([
      series("dyno_memory", "dyno.memory.total", { 600: { sum: 300, count: 1, max: 300 } }, "web.1"), series("dyno_memory", "dyno.memory.total", { 600: { sum: 900, count: 1, max: 900 } }, "worker.1"),
      series("dyno_memory", "dyno.memory.quota", { 600: { sum: 512, count: 1, max: 512 } }, "web.1"),
    ]), (dyno) => dyno.startsWith("web"));
    expect(values(spec)).toEqual({ "total-mean": [300, null, null], "total-max": [300, null, null], quota: [512, null, null] });
    expect(spec.lines.find((line) => line.key === "quota")?.dash).toBe(true);
    expect(memory(kept([]), all).missing).toMatch(/memory_total/);
    expect(load(kept([]), all).missing).toMatch(/load_avg_1m/);
  });

  it("concurrency is seconds of service per second", () => {
    expect(values(concurrency(kept([series("router", "router.service", { 600: { sum: 90 } })])))).toEqual({ concurrency: [1.5, 0, 0] });
  });

  it("queueing tells which kinds of waiting are known", () => {
    const wait = kept([series("router", "router.wait", { 600: { mean: 2, p95: 3 } })]);
    const told = (source: string, sum: number, max: number) => series("measure", "queue", { 600: { sum, count: 2, max, p95: 0.2 } }, source, "seconds");
    expect(values(queueing(wait, kept([told("", 1, 1)])))).toEqual({
      "app-mean": [0.5, null, null], "app-p95": [0.2, null, null], "wait-mean": [2, null, null], "wait-p95": [3, null, null],
    });
    expect(values(queueing(kept([]), kept([told("web.1", 1, 1), told("web.2", 5, 4)])))).toEqual({ "app-mean": [1.5, null, null], "app-max": [4, null, null] });
    expect(queueing(kept([]), kept([series("count", "queue", { 600: {} })])).missing).toMatch(/measure#queue/);
    expect(queueing(wait, undefined).missing).toBeUndefined();
  });

  it("own series are drawn by kind, by source where there are several", () => {
    const measure = { kind: "measure", name: "db", unit: "seconds" } as const;
    expect(own(kept([series("measure", "db", { 600: {} }, "", "seconds")]), measure).lines.map((line) => line.key)).toEqual(["p50", "p95", "p99", "max"]);
    const many = Array.from({ length: 9 }, (_, index) => series("sample", "jobs", { 600: { last: index, count: index + 1 } }, `w.${index}`));
    const spec = own(kept(many), { kind: "sample", name: "jobs", unit: "" });
    expect(spec.lines.map((line) => line.key)).toEqual(["w.8", "w.7", "w.6", "w.5", "w.4", "w.3"]);
    expect(spec.note).toMatch(/3 more sources/);
    expect(values(own(kept([series("count", "n", { 600: { sum: 7 } })]), { kind: "count", name: "n", unit: "" }))).toEqual({ all: [7, 0, 0] });
    expect(own(kept([]), measure).missing).toBeDefined();
  });
});

describe("errors and events", () => {
  const some = kept(
    [series("router", "platform.error.R14", { 600: { count: 50 } }), series("router", "router.error.H12", { 600: { count: 2 } }), series("router", "router.error.H10", { 660: { count: 3 } }),
      series("measure", "router.error.H99", { 600: { count: 99 } })],
    [{ time: iso(665), event: "deploy", procid: "api", text: "Release v2" }],
  );
  it("has a row per code, failed requests first, the most frequent first", () => {
    expect(errors(some).lines.map((line) => line.key)).toEqual(["H10", "H12", "R14"]);
    expect(values(errors(some))["H12"]).toEqual([2, 0, 0]);
    expect(errors(kept([])).missing).toBeDefined();
    expect(errors(kept([], some.events)).missing).toBeUndefined();
  });
  it("finds the events of a step", () => {
    expect(eventsAt(some, 1).map((event) => event.text)).toEqual(["Release v2"]);
    expect([eventsAt(some, 0), eventsAt(some, null)]).toEqual([[], []]);
  });
  it("asks for codes that nobody knew of once they were seen, and for no other names", () => {
    const seen = ["router.error.H77", "router.error.H7", "cache.read"].map((name) => ({ name, source: "", unit: "", points: [] }));
    const names = codeNames(seen);
    expect(names).toContain("router.error.H77");
    expect(names).toContain("platform.error.R14");
    expect(names.filter((name) => !/^(router\.error\.H\d\d|platform\.error\.[RL]\d\d)$/.test(name))).toEqual([]);
  });
});

describe("words", () => {
  it("stand for the chart, at the newest step or the one that is looked at", () => {
    const chart = responseTime(kept([series("router", "router.service", { 600: { median: 0.1 }, 660: { median: 0.02, p95: 0.5 } })]));
    const { stretch } = kept([]);
    expect(shownStep(chart, stretch, null)).toBe(1);
    expect(shownStep(chart, stretch, 600)).toBe(0);
    expect(words(chart, stretch, ranges[0]!, null)).toMatch(/^Response time, last 2 h in steps of 1 min\. .*p50 20 ms, p95 500 ms/);
    expect(words(responseTime(kept([])), stretch, ranges[0]!, null)).toMatch(/No router line/);
    expect(valueText(12.5, "req/s")).toBe("12.5/s");
    expect(valueText(null, "req/s")).toBe("–");
    expect([tickText(5, "req/s"), tickText(0.5, "seconds"), tickText(20_000, "pages")]).toEqual(["5/s", "500 ms", "20k"]);
  });
});
