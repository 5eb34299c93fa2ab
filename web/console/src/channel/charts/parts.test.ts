import { describe, expect, it } from "vitest";
import type { MetricPoint, MetricSeries } from "../../api/types";
import { timeLabels, valueRange } from "./axes";
import { Crosshair } from "./crosshair";
import { byDyno, dynoTypes, filterValue } from "./dynos";
import { exemplarsOf, quoted } from "./exemplars";
import { drawable, fileAddress, fileName, linkIn, linkQuery } from "./exports";
import { ownNames, ownOf, ownText } from "./own";
import type { ChartSpec } from "./specs";
import { ranges } from "./stretch";

const series = (kind: string, name: string, source: string, fields: Partial<MetricPoint> = {}): MetricSeries => ({
  kind, name, source, unit: "", points: [{ time: "", count: 1, sum: 1, min: 1, max: 1, mean: 1, median: 1, p95: 1, p99: 1, last: 1, ...fields }],
});

describe("by dyno", () => {
  const all = [
    series("router_dyno", "router.service", "web.1", { count: 10, p95: 0.2 }), series("router_dyno", "router.service", "web.3", { count: 4, p95: 9 }),
    series("router_dyno", "router.status.5xx", "web.3", { count: 3 }), series("router", "router.service", "", { p95: 5 }), series("dyno_load", "dyno.load.1m", "worker.1"),
  ];
  it("has the slowest first, with its failures", () => {
    const { by, rows } = byDyno(all, () => true);
    expect(by).toBe("dyno");
    expect(rows.map((row) => [row.source, row.p95, row.requests, row.failed])).toEqual([["web.3", 9, 4, 3], ["web.1", 0.2, 10, 0]]);
    expect(byDyno(all, (dyno) => dyno === "web.1").rows).toHaveLength(1);
    expect(byDyno([series("router_host", "router.service", "a.example.com")], () => false)).toMatchObject({ by: "host", rows: [{ source: "a.example.com" }] });
    expect(byDyno([], () => true).rows).toEqual([]);
  });
  it("knows which kinds of dynos there are", () => {
    expect(dynoTypes([...all, series("dyno_load", "dyno.load.1m", "_overflow"), series("measure", "x", "cron.1")])).toEqual(["web", "worker"]);
  });
  it("quotes what a filter would take for something else", () => {
    expect(filterValue("web.3")).toBe("web.3");
    expect(filterValue('a b"\\c')).toBe('"a b\\"\\\\c"');
    expect(filterValue("x status>=1")).toBe('"x status>=1"');
  });
});

describe("own series in the URL", () => {
  it("come back as they were, whatever their names", () => {
    const chosen = [{ kind: "measure", name: "a,b:c%é", unit: "seconds" }, { kind: "count", name: "orders", unit: "" }] as const;
    expect(ownOf(ownText([...chosen]))).toEqual(chosen);
    expect(ownOf(null)).toEqual([]);
    expect(ownOf("router::x,measure::,%%,sample::jobs")).toEqual([{ kind: "sample", name: "jobs", unit: "" }]);
    expect(ownOf(Array(9).fill("count::n").join(","))).toHaveLength(6);
  });
  it("are those that users made, each name once", () => {
    expect(ownNames([series("sample", "b", "web.1"), series("sample", "b", "web.2"), series("count", "a", ""), series("router", "router.service", "")]).map((one) => one.name)).toEqual(["a", "b"]);
  });
});

describe("files and links", () => {
  const spec = { id: "own", title: "a/b c", file: { names: ["a/b c", "x&y"], show: ["median", "p95"], sources: 2 } } as ChartSpec;
  const alone = { ...spec, file: { names: ["router.service"], show: ["p95"], sources: 0 } };
  it("encode what they name", () => {
    expect(fileAddress("a/b", spec, ranges[0]!, "svg")).toBe("/v3/channels/a%2Fb/metrics?format=svg&from=2h&step=60&name=a%2Fb+c&name=x%26y&show=median%2Cp95");
    expect(fileAddress("1", alone, ranges[3]!, "csv")).toBe("/v3/channels/1/metrics?format=csv&from=7d&step=3600&name=router.service&source=");
    expect(fileName("../x", spec, ranges[0]!, "csv")).toBe("..-x-a-b-c-2h.csv");
    expect(linkQuery(spec, ranges[1]!)).toEqual({ name: ["a/b c", "x&y"], from: "24h", to: "0s", step: "10m", show: ["median", "p95"] });
    expect(linkQuery(alone, ranges[1]!)).toMatchObject({ name: ["router.service"], source: "" });
    expect([drawable(spec), drawable(alone), drawable({ ...spec, file: { ...spec.file, sources: 9 } })]).toEqual([true, true, false]);
    expect([linkIn("/links/x", "svg"), linkIn("/links/x?a=b", "csv"), linkIn("/links/x", "json")]).toEqual(["/links/x?format=svg", "/links/x?a=b&format=csv", "/links/x"]);
  });
});

describe("exemplars", () => {
  it("are read from OpenMetrics, the slowest first", () => {
    const text = [
      'tailrace_router_service_seconds_bucket{channel="1",le="0.01"} 144 # {request_id="d7cf-1"} 0.007 1795304844.301958',
      'tailrace_router_service_seconds_bucket{channel="1",le="10"} 1468 # {request_id="a\\"b\\\\c"} 5.837 1795304839.072563',
      'tailrace_router_service_seconds_bucket{channel="1",le="+Inf"} 1468', 'tailrace_router_connect_seconds_bucket{le="1"} 2 # {request_id="no"} 1 2', "# EOF",
    ].join("\n");
    expect(exemplarsOf(text)).toEqual([{ id: 'a"b\\c', seconds: 5.837, time: 1795304839.072563 }, { id: "d7cf-1", seconds: 0.007, time: 1795304844.301958 }]);
    expect(quoted("a+b/c=.*")).toBe("a\\+b/c=\\.\\*");
  });
});

describe("the crosshair", () => {
  it("tells all who listen, and falls back to what was pinned", () => {
    const crosshair = new Crosshair();
    const heard: unknown[] = [];
    const end = crosshair.listen((time, from) => heard.push([time, from]));
    crosshair.point(60, "me");
    crosshair.point(60, "me");
    crosshair.pin(120);
    crosshair.point(null, "me");
    end();
    crosshair.point(180);
    expect(heard).toEqual([[60, "me"], [60, null], [120, "me"]]);
    expect(crosshair.time).toBe(180);
  });
});

describe("axes", () => {
  it("begin at 0 and hold the greatest value", () => {
    expect([valueRange(null), valueRange(0)]).toEqual([[0, 1], [0, 1]]);
    expect(valueRange(100)[1]).toBeGreaterThan(100);
  });
  it("say the day where one begins", () => {
    const midnight = new Date(2026, 10, 21).getTime() / 1000;
    expect(timeLabels([midnight, midnight + 3600])).toEqual(["Nov 21", "01:00"]);
  });
});
