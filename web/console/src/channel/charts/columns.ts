// Points of series as columns, one value per step. null is "nothing is known", and is drawn as a gap.
import type { MetricPoint } from "../../api/types";
import type { KeptSeries } from "./kept";
import { spread, stepCount, timeAt, type Stretch } from "./stretch";

export type Column = (number | null)[];

function build(stretch: Stretch, value: (time: number, index: number) => number | null): Column {
  return Array.from({ length: stepCount(stretch) }, (_, index) => value(timeAt(stretch, index), index));
}

const finite = (value: number | null | undefined) => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** A time, a size, a quantile: where nothing came there is none, and 0 would be a lie. */
export function column(series: KeptSeries | undefined, stretch: Stretch, pick: (point: MetricPoint) => number): Column {
  return build(stretch, (time) => {
    const point = series?.points.get(time);
    return point ? finite(pick(point)) : null;
  });
}

/**
 * How many came, and what they add up to: a step without a point, within the time that is kept whole, is one in which nothing came, and that
 * is 0. Before that nobody knows, nor of the step that has not ended: something may yet come.
 */
export function counts(series: KeptSeries | undefined, stretch: Stretch, pick: (point: MetricPoint) => number): Column {
  return build(stretch, (time) => {
    const point = series?.points.get(time);
    if (point) return finite(pick(point));
    return time >= stretch.wholeFrom && time + stretch.step <= stretch.now ? 0 : null;
  });
}

/** Counts that belong together: where something came for one of them, nothing came for those without a value. */
export function together(columns: Column[], stretch: Stretch): Column[] {
  return columns.map((values) =>
    values.map((value, index) => {
      if (value !== null || timeAt(stretch, index) < stretch.wholeFrom) return value;
      return columns.some((other) => (other[index] ?? null) !== null) ? 0 : null;
    }),
  );
}

/** The same per second. */
export function rates(series: KeptSeries | undefined, stretch: Stretch, pick: (point: MetricPoint) => number): Column {
  return counts(series, stretch, pick).map((value, index) => (value === null ? null : value / spread(stretch, index)));
}

/** Over several sources: the mean of all their values, not of their means. */
export function meanOver(all: KeptSeries[], stretch: Stretch): Column {
  return build(stretch, (time) => {
    let sum = 0;
    let count = 0;
    for (const series of all) {
      const point = series.points.get(time);
      if (point) (sum += point.sum), (count += point.count);
    }
    return count > 0 ? finite(sum / count) : null;
  });
}

export function maxOver(all: KeptSeries[], stretch: Stretch): Column {
  return build(stretch, (time) => {
    let most: number | null = null;
    for (const series of all) {
      const value = finite(series.points.get(time)?.max);
      if (value !== null && (most === null || value > most)) most = value;
    }
    return most;
  });
}

/** Each column on top of those before it; null only where none has a value. */
export function stacked(columns: Column[]): Column[] {
  let below: Column = [];
  return columns.map((values) => {
    below = values.map((value, index) => {
      const under = below[index] ?? null;
      return value === null ? under : value + (under ?? 0);
    });
    return below;
  });
}

export const isEmpty = (values: Column) => values.every((value) => value === null);
export const total = (values: Column) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** The last step with a value of any of them. */
export function newest(columns: Column[]): number | null {
  const length = Math.max(0, ...columns.map((values) => values.length));
  for (let index = length - 1; index >= 0; index -= 1)
    if (columns.some((values) => (values[index] ?? null) !== null)) return index;
  return null;
}
