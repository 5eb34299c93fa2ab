// Scales and axes of the charts.
import type uPlot from "uplot";
import { moment } from "../../ui/time";
import type { Palette } from "./palette";
import type { ChartSpec } from "./specs";
import { tickText } from "./words";

const font = "12px system-ui, sans-serif";
export const axisWidth = 58; // the same for all, so that times stand above each other
export const rowHeight = 22;

const midnight = (time: number) => {
  const at = new Date(time * 1000);
  return at.getHours() === 0 && at.getMinutes() === 0;
};

/** `14:00`, and the day where one begins. */
export function timeLabels(splits: number[]): string[] {
  return splits.map((time) => {
    const at = new Date(time * 1000);
    if (midnight(time)) return at.toLocaleDateString("en-US", { month: "short", day: "numeric" });
    return moment(at, at);
  });
}

const binary = Array.from({ length: 48 }, (_, power) => 2 ** power);

/** From 0 to a little above the greatest value; of what is all 0 still a scale. */
export function valueRange(most: number | null): [number, number] {
  return [0, most === null || !(most > 0) ? 1 : most * 1.08];
}

export function axesOf(spec: ChartSpec, palette: Palette): uPlot.Axis[] {
  const grid = { stroke: () => palette.colour("line"), width: 1 };
  const shared = { stroke: () => palette.colour("faint"), font, ticks: { show: false } };
  const x: uPlot.Axis = { ...shared, grid: { ...grid, show: spec.shape === "rows" }, space: (_plot, _axis, _min, _max, width) => (width < 400 ? 44 : 64), size: 24, gap: 4, values: (_, splits) => timeLabels(splits) };
  const y: uPlot.Axis = { ...shared, grid, size: axisWidth, gap: 6 };
  if (spec.shape === "rows") {
    y.splits = (plot) => rowsOf(plot).map((_, row) => row + 0.5);
    y.values = (plot) => rowsOf(plot).map((one) => String(one.label));
    y.grid = { show: false };
  } else {
    y.space = 30;
    y.values = (_, splits) => splits.map((value) => tickText(value, spec.unit));
    if (spec.unit === "bytes") y.incrs = binary;
  }
  return [x, y];
}

/** The series that show as rows, from the top. */
export const rowsOf = (plot: uPlot) => plot.series.slice(1).filter((series) => series.show);
