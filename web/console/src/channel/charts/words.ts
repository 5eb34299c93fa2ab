// Values of charts in words: legends, tables, and what a screen reader says.
import { count, inUnit } from "../../ui/figures";
import { moment } from "../../ui/time";
import { newest } from "./columns";
import type { ChartSpec } from "./specs";
import { indexOf, isOpen, timeAt, type Range, type Stretch } from "./stretch";

export function valueText(value: number | null | undefined, unit: string): string {
  if (unit === "req/s") return value === null || value === undefined ? "–" : `${count(value)}/s`;
  return inUnit(value, unit);
}

/** At an axis: a unit of somebody's own has no room there, the legend has it. */
export function tickText(value: number, unit: string): string {
  return valueText(value, ["seconds", "bytes", "req/s"].includes(unit) ? unit : "");
}

/** The step that a legend shows: what is looked at, or else the newest with a value. */
export function shownStep(spec: ChartSpec, stretch: Stretch, looked: number | null): number | null {
  return indexOf(stretch, looked) ?? newest(spec.lines.map((line) => line.values));
}

/** `14:03`, and of a step that has not ended `14:03, so far`. */
export function stepText(stretch: Stretch, index: number): string {
  const begins = moment(timeAt(stretch, index) * 1000);
  return isOpen(stretch, index) ? `${begins}, so far` : begins;
}

/** `p50 20 ms, p95 120 ms` */
export function valuesText(spec: ChartSpec, index: number): string {
  return spec.lines.map((line) => `${line.text} ${valueText(line.values[index], spec.unit)}`).join(", ");
}

/** The text that stands for a whole chart. */
export function describe(spec: ChartSpec, stretch: Stretch, range: Range, looked: number | null): string {
  const head = `${spec.title}, last ${range.text} in steps of ${range.stepText}.`;
  if (spec.missing) return `${head} ${spec.missing}`;
  const index = shownStep(spec, stretch, looked);
  return index === null ? head : `${head} ${stepText(stretch, index)}: ${valuesText(spec, index)}`;
}
