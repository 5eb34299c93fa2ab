// What each chart shows of a channel's series. Names of series as docs/metrics.md has them.
import { column, counts, isEmpty, maxOver, meanOver, rates, together, total, type Column } from "./columns";
import { named, whole, type Kept } from "./kept";

/** A token of style/tokens.css, without its dashes. */
export type StatusClass = "2xx" | "3xx" | "1xx" | "4xx" | "5xx" | "none";
export type Colour = `class-${StatusClass}` | "series-1" | "series-2" | "series-3" | "series-4" | "series-5" | "series-6" | "bad" | "warn" | "faint";

export interface Line {
  key: string; // `p95`; what `data-series` says
  text: string;
  title?: string; // more about it
  colour: Colour;
  dash?: boolean;
  values: Column;
}

/** What a chart is drawn from. */
export interface FileQuery {
  names: string[];
  show: string[]; // figures of a point
  sources: number; // how many each name has; 0: only that without a source is meant
}

export interface ChartSpec {
  id: string; // what `data-chart` says
  title: string;
  unit: string; // of ui/figures.ts inUnit
  shape: "lines" | "stacked" | "rows";
  lines: Line[];
  missing?: string; // there is nothing to draw, and why that may be
  note?: string; // what it can and cannot tell
  file: FileQuery; // for who wants it as one
}

const p95 = { key: "p95", text: "p95", colour: "series-2", pick: "p95" } as const;
const quantiles = [
  { key: "p50", text: "p50", colour: "series-1", pick: "median" },
  p95,
  { key: "p99", text: "p99", colour: "series-3", pick: "p99" },
  { key: "max", text: "max", colour: "series-6", pick: "max" },
] as const;

const nothing = (lines: Line[], why: string) => (lines.every((line) => isEmpty(line.values)) ? why : undefined);

export function responseTime(kept: Kept): ChartSpec {
  const service = whole(kept, "router.service");
  const lines = quantiles.map((one) => ({ ...one, values: column(service, kept.stretch, (point) => point[one.pick]) }));
  return {
    id: "response-time", title: "Response time", unit: "seconds", shape: "lines", lines,
    missing: nothing(lines, "No router line with a service= in this time."),
    file: { names: ["router.service"], show: ["median", "p95", "p99", "max"], sources: 0 },
  };
}

export const statusClasses: readonly StatusClass[] = ["2xx", "3xx", "1xx", "4xx", "5xx", "none"];

/** Classes that never came are left out, so that the legend says only what there is. */
export function throughput(kept: Kept): ChartSpec {
  const lines: Line[] = [];
  for (const status of statusClasses) {
    const series = whole(kept, `router.status.${status}`);
    if (!series) continue;
    lines.push({
      key: status, text: status === "none" ? "no status" : status, colour: `class-${status}`,
      values: rates(series, kept.stretch, (point) => point.count),
    });
  }
  const values = together(lines.map((line) => line.values), kept.stretch);
  lines.forEach((line, index) => (line.values = values[index]!));
  return {
    id: "throughput", title: "Throughput", unit: "req/s", shape: "stacked", lines,
    missing: nothing(lines, "No router line in this time."),
    file: { names: lines.map((line) => `router.status.${line.key}`), show: ["rate"], sources: 0 },
  };
}

const memoryUnit = "bytes";
export function memory(kept: Kept, wanted: (dyno: string) => boolean): ChartSpec {
  const of = (kind: string) => named(kept, "dyno_memory", `dyno.memory.${kind}`).filter((series) => wanted(series.source));
  const { stretch } = kept;
  const lines: Line[] = [
    { key: "total-mean", text: "total, mean", colour: "series-1", values: meanOver(of("total"), stretch) },
    { key: "total-max", text: "total, max", colour: "series-2", values: maxOver(of("total"), stretch) },
    { key: "rss", text: "rss, mean", colour: "series-5", values: meanOver(of("rss"), stretch) },
    { key: "swap", text: "swap, mean", colour: "series-3", values: meanOver(of("swap"), stretch) },
    { key: "quota", text: "quota", colour: "series-4", dash: true, values: maxOver(of("quota"), stretch) },
  ];
  const missing = nothing(lines, "No sample#memory_total of a dyno in this time. Heroku's log-runtime-metrics sends it.");
  return {
    id: "memory", title: "Memory", unit: memoryUnit, shape: "lines", lines: missing ? lines : lines.filter((line) => !isEmpty(line.values)), missing,
    file: { names: ["dyno.memory.total", "dyno.memory.quota"], show: ["max"], sources: named(kept, "dyno_memory", "dyno.memory.total").length },
  };
}

export function load(kept: Kept, wanted: (dyno: string) => boolean): ChartSpec {
  const all = named(kept, "dyno_load", "dyno.load.1m").filter((series) => wanted(series.source));
  const lines: Line[] = [
    { key: "mean", text: "mean of dynos", colour: "series-1", values: meanOver(all, kept.stretch) },
    { key: "max", text: "max", colour: "series-2", values: maxOver(all, kept.stretch) },
  ];
  return {
    id: "load", title: "Load", unit: "", shape: "lines", lines,
    missing: nothing(lines, "No sample#load_avg_1m of a dyno in this time. Heroku's log-runtime-metrics sends it."),
    file: { names: ["dyno.load.1m"], show: ["mean"], sources: named(kept, "dyno_load", "dyno.load.1m").length },
  };
}

/** `app`: what the app measured itself, under whatever sources. Quantiles of several cannot be had from each, so theirs is the greatest. */
export function queueing(kept: Kept, app: Kept | undefined): ChartSpec {
  const wait = whole(kept, "router.wait");
  const told = app ? named(app, "measure", "queue").filter((series) => series.unit === "seconds") : [];
  const lines: Line[] = [];
  if (told.length)
    lines.push({ key: "app-mean", text: "in the app, mean", colour: "series-1", values: meanOver(told, kept.stretch) });
  if (told.length === 1)
    lines.push({ key: "app-p95", text: "in the app, p95", colour: "series-2", values: column(told[0], kept.stretch, (point) => point.p95) });
  else if (told.length) lines.push({ key: "app-max", text: "in the app, max", colour: "series-2", values: maxOver(told, kept.stretch) });
  if (wait)
    lines.push(
      { key: "wait-mean", text: "in the router, mean", colour: "series-3", values: column(wait, kept.stretch, (point) => point.mean) },
      { key: "wait-p95", text: "in the router, p95", colour: "series-4", values: column(wait, kept.stretch, (point) => point.p95) },
    );
  return {
    id: "queueing", title: "Queueing", unit: "seconds", shape: "lines", lines,
    missing: nothing(lines, "Neither wait= of the router nor measure#queue of the app in this time."),
    note: told.length
      ? "In the app: from X-Request-Start until it begins, as exact as both clocks. In the router: its own queue, and no wait at a dyno."
      : "The router's wait= tells of its own queue and of no wait at a dyno. An app that logs measure#queue tells that.",
    file: { names: ["queue", "router.wait"], show: ["mean", "p95"], sources: Math.max(1, told.length) },
  };
}

export function concurrency(kept: Kept): ChartSpec {
  const service = whole(kept, "router.service");
  const lines: Line[] = service
    ? [{ key: "concurrency", text: "requests at the dynos", colour: "series-1", values: rates(service, kept.stretch, (point) => point.sum) }]
    : [];
  return {
    id: "concurrency", title: "Concurrency", unit: "", shape: "lines", lines,
    missing: nothing(lines, "No router line with a service= in this time."),
    note: "By Little's law, seconds of service per second. Who is served and who waits at a dyno are both in it; a long request counts when it ends.",
    file: { names: ["router.service"], show: ["sum"], sources: 0 },
  };
}

const sourceColours: Colour[] = ["series-1", "series-2", "series-3", "series-5", "series-4", "series-6"];

/** What users measure, as l2met's pairs have it. */
export interface OwnName {
  kind: "measure" | "count" | "sample";
  name: string;
  unit: string;
}

/** A name that users made. With several sources one line each, the busiest first, as many as colours tell apart. */
export function own(kept: Kept, { kind, name, unit }: OwnName): ChartSpec {
  const all = named(kept, kind, name)
    .filter((series) => series.unit === unit)
    .map((series) => ({ series, weight: total(column(series, kept.stretch, (point) => point.count)) }))
    .sort((a, b) => b.weight - a.weight || (a.series.source < b.series.source ? -1 : 1))
    .map(({ series }) => series);
  const base = { id: "own", title: name, shape: "lines" as const };
  const file = (show: string[]) => ({ names: [name], show, sources: Math.max(1, all.length) });
  const missing = all.length ? undefined : "Nothing of this name in this time.";
  if (kind === "measure" && all.length === 1) {
    const lines = quantiles.map((one) => ({ ...one, values: column(all[0], kept.stretch, (point) => point[one.pick]) }));
    return { ...base, unit, lines, file: file(["median", "p95", "p99", "max"]) };
  }
  const drawn = all.slice(0, sourceColours.length);
  const lines = drawn.map((series, index) => ({
    key: series.source || "all", text: series.source || (kind === "count" ? "sum" : "last"), colour: sourceColours[index]!,
    values: kind === "count" ? counts(series, kept.stretch, (point) => point.sum) : column(series, kept.stretch, (point) => (kind === "measure" ? point.p95 : point.last)),
  }));
  const what = { measure: "p95 of each source", count: "Sum of each step", sample: "The last value of each step" }[kind];
  const left = all.length - drawn.length;
  return {
    ...base, unit, lines, missing, note: left > 0 ? `${what}; ${left} more sources are not drawn.` : `${what}.`,
    file: file([kind === "count" ? "sum" : kind === "measure" ? "p95" : "last"]),
  };
}
