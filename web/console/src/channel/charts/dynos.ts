// Which dyno is slow: sums over a stretch, by dyno or host.
import type { MetricSeries } from "../../api/types";

export interface DynoRow {
  source: string;
  requests: number;
  failed: number; // with 5xx
  p50: number;
  p95: number;
  max: number;
}

export interface ByDyno {
  by: "dyno" | "host";
  rows: DynoRow[]; // the slowest first
}

/** By dyno if the router counts so, else by host. `wanted`: of dynos. */
export function byDyno(catalogue: MetricSeries[], wanted: (dyno: string) => boolean): ByDyno {
  const by = catalogue.some((series) => series.kind === "router_host") && !catalogue.some((series) => series.kind === "router_dyno") ? "host" : "dyno";
  const failed = new Map<string, number>();
  const rows: DynoRow[] = [];
  for (const series of catalogue) {
    const point = series.points[0];
    if (series.kind !== `router_${by}` || !point || (by === "dyno" && !wanted(series.source))) continue;
    if (series.name === "router.status.5xx") failed.set(series.source, point.count);
    if (series.name !== "router.service") continue;
    rows.push({ source: series.source, requests: point.count, failed: 0, p50: point.median, p95: point.p95, max: point.max });
  }
  for (const row of rows) row.failed = failed.get(row.source) ?? 0;
  rows.sort((a, b) => b.p95 - a.p95 || b.requests - a.requests || (a.source < b.source ? -1 : 1));
  return { by, rows };
}

/** `web` of `web.1` */
export const typeOf = (dyno: string) => dyno.replace(/\.[^.]*$/, "");

/** Kinds of dynos, by name, of whatever tells of dynos. */
export function dynoTypes(catalogue: MetricSeries[]): string[] {
  const of = new Set<string>();
  for (const { kind, source } of catalogue)
    if (kind === "dyno_memory" || kind === "dyno_load" || kind === "router_dyno") of.add(typeOf(source));
  of.delete("_overflow");
  return [...of].sort();
}

/** A value as a filter's term has it: between quotes where it has to be. */
export function filterValue(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}
