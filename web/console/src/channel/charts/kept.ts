// What the charts know of a channel's series: one whole answer, and what newer ones said of the last steps.
import type { MetricPoint, Metrics, MetricSeries, PlatformEvent } from "../../api/types";
import type { Range, Stretch } from "./stretch";

export interface KeptSeries {
  name: string;
  source: string;
  unit: string;
  kind: string;
  points: Map<number, MetricPoint>; // by when its step begins
}

export interface Kept {
  stretch: Stretch;
  series: KeptSeries[];
  events: PlatformEvent[];
  late: number;
}

const seconds = (time: string) => Math.round(Date.parse(time) / 1000);
const keyOf = (series: MetricSeries) => [series.kind ?? "", series.name, series.source, series.unit].join("\n");

/**
 * An answer laid over what was kept before: within the answer's time it alone counts. What is older than the range goes, so this
 * never grows. `before` is not changed.
 */
export function merged(before: Kept | undefined, answer: Metrics, range: Range, now: number): Kept {
  const from = seconds(answer.from);
  const to = seconds(answer.to);
  const first = to - range.seconds;
  const all = new Map<string, KeptSeries>();
  for (const series of before?.series ?? []) {
    const points = new Map([...series.points].filter(([time]) => time >= first && (time < from || time >= to)));
    all.set(keyOf({ ...series, points: [] }), { ...series, points });
  }
  for (const series of answer.series) {
    const key = keyOf(series);
    const into = all.get(key) ?? { ...series, kind: series.kind ?? "", points: new Map<number, MetricPoint>() };
    for (const point of series.points) {
      const time = seconds(point.time);
      if (time >= first) into.points.set(time, point);
    }
    all.set(key, into);
  }
  const wholeFrom = answer.whole_from ? seconds(answer.whole_from) : first;
  const older = (before?.events ?? []).filter((event) => seconds(event.time) >= first && seconds(event.time) < from);
  return {
    stretch: { from: first, to, step: answer.step, wholeFrom: Math.min(to, Math.max(first, wholeFrom)), now },
    series: [...all.values()].filter((series) => series.points.size > 0),
    events: [...older, ...(answer.events ?? []).filter((event) => seconds(event.time) >= first)],
    late: answer.late,
  };
}

/** Of one kind: anybody can call his own measure `router.service`. */
export const named = (kept: Kept, kind: string, name: string) =>
  kept.series.filter((series) => series.name === name && series.kind === kind);

/** A channel's router series of that name, not those by dyno or host. */
export const whole = (kept: Kept, name: string) => named(kept, "router", name).find((series) => series.source === "");
