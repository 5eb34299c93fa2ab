// A drain's history as what is drawn: one value per step, null where there is none.
import type { DrainHistory, DrainState } from "../api/types";
import { count, duration } from "../ui/figures";

export type Values = (number | null)[];
export interface Series {
  name: string;
  tone: number; // of the tokens' series
  values: Values;
}
export interface Track {
  name: string;
  kind: "bars" | "lines";
  series: Series[];
  most: number; // of the axis, above 0
  text: (value: number) => string;
}
export interface Steps {
  begin: number; // milliseconds since the epoch
  step: number; // milliseconds
  count: number;
  knownFrom: number; // the first step of which something is known
  states: (DrainState | null)[]; // null: nothing happened, or not known
  tracks: Track[];
}

export const mostSteps = 1000;
const known: readonly string[] = ["pending", "ok", "failing", "paused"];
const reasonTones = ["overflow", "memory", "age", "refused", "disk", "damaged"];

const rate = (value: number) => `${count(value)}/s`;
const greatest = (series: Series[], stacked: boolean): number => {
  let most = 0;
  const steps = series[0]?.values.length ?? 0;
  for (let i = 0; i < steps; ++i) {
    const all = series.map((s) => s.values[i] ?? 0);
    most = Math.max(most, stacked ? all.reduce((a, b) => a + b, 0) : Math.max(...all));
  }
  return most;
};

/** `now`: when the answer came; the last step is not over yet. */
export function stepsOf(history: DrainHistory, now: number): Steps {
  const step = Math.max(1, history.step) * 1000;
  const end = Math.max(Date.parse(history.to), ...history.points.slice(-1).map((p) => Date.parse(p.time) + 1));
  let begin = Math.floor(Date.parse(history.from) / step) * step;
  const steps = Math.min(mostSteps, Math.max(1, Math.ceil((end - begin) / step)));
  begin = Math.max(begin, Math.ceil(end / step) * step - steps * step);
  const knownFrom = Math.min(steps, Math.max(0, Math.floor((Date.parse(history.whole_from) - begin) / step)));

  const points = new Array<DrainHistory["points"][number] | undefined>(steps);
  for (const point of history.points) {
    const at = Math.floor((Date.parse(point.time) - begin) / step);
    if (at >= 0 && at < steps) points[at] = point;
  }
  const values = (of: (point: DrainHistory["points"][number] | undefined, i: number) => number | null): Values =>
    Array.from(points, (point, i) => (i < knownFrom && !point ? null : of(point, i)));
  const whole = Date.parse(history.whole_from) || begin;
  const seconds = (i: number) => Math.max(0, Math.min(begin + (i + 1) * step, now) - Math.max(begin + i * step, whole)) / 1000;
  // A step that has only just begun has no rate yet.
  const perSecond = (n: (point: DrainHistory["points"][number]) => number) =>
    values((point, i) => (seconds(i) < Math.min(step / 6000, 10) ? null : point ? n(point) / seconds(i) : 0));

  const told = new Set(history.points.flatMap((p) => Object.keys(p.dropped).filter((reason) => p.dropped[reason]! > 0)));
  const reasons = [...reasonTones.filter((r) => told.has(r)), ...[...told].filter((r) => !reasonTones.includes(r)).slice(0, 4)];
  const track = (name: string, kind: Track["kind"], series: Series[], text: (value: number) => string): Track =>
    ({ name, kind, series, most: greatest(series, kind === "bars") || 1, text });
  const tracks = [track("Delivered", "bars", [{ name: "", tone: 1, values: perSecond((p) => p.delivered) }], rate)];
  if (history.points.some((p) => p.filtered > 0))
    tracks.push(track("Filtered", "bars", [{ name: "", tone: 6, values: perSecond((p) => p.filtered) }], rate));
  if (reasons.length > 0)
    tracks.push(track("Dropped", "bars", reasons.map((reason) => ({ name: reason, tone: toneOf(reason), values: values((p) => p?.dropped[reason] ?? 0) })), count));
  tracks.push(track("Waiting", "bars", [{ name: "", tone: 2, values: values((p) => p?.buffered ?? 0) }], (n) => `${count(n)} records`));
  tracks.push(track("Lag", "bars", [{ name: "", tone: 2, values: values((p) => p?.lag_seconds ?? 0) }], duration));
  if (history.points.some((p) => p.answers > 0))
    tracks.push(track("Answer time", "lines", [
      { name: "p50", tone: 1, values: values((p) => (p && p.answers > 0 ? (p.p50 ?? null) : null)) },
      { name: "p99", tone: 3, values: values((p) => (p && p.answers > 0 ? (p.p99 ?? null) : null)) },
    ], duration));
  return { begin, step, count: steps, knownFrom, states: Array.from(points, (p) => (p && known.includes(p.state) ? p.state : null)), tracks };
}

const toneOf = (reason: string) => [3, 2, 6, 4, 5, 1][reasonTones.indexOf(reason)] ?? 6;

/** The last step that has a rate. */
export function latest(steps: Steps): number {
  const values = steps.tracks[0]!.series[0]!.values;
  let at = values.length - 1;
  while (at > 0 && values[at] === null) at -= 1;
  return at;
}

/** One step of a track in words: `overflow 14, refused 2`; `–` where nothing is known. */
export function valueText(track: Track, at: number): string {
  const told = track.series.filter((s) => s.values[at] !== null && s.values[at] !== undefined);
  if (told.length === 0) return "–";
  if (track.series.length === 1 && !track.series[0]!.name) return track.text(told[0]!.values[at]!);
  const some = told.filter((s) => track.kind === "lines" || s.values[at]! > 0);
  return some.length === 0 ? "none" : some.map((s) => `${s.name} ${track.text(s.values[at]!)}`).join(", ");
}

/** What a track shows, for who does not see it. */
export function inWords(track: Track, steps: Steps): string {
  return `${track.name}: at most ${track.text(track.series.every((s) => s.values.every((v) => !v)) ? 0 : track.most)}, last ${valueText(track, latest(steps))}`;
}

/** The moments that get a mark on the axis: at most `most` of them, on round times of the browser's zone. */
export function ticks(begin: number, end: number, most: number): number[] {
  const minute = 60_000;
  const every = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((n) => n * minute).find((n) => (end - begin) / n <= most) ?? 1440 * minute;
  const midnight = new Date(begin);
  midnight.setHours(0, 0, 0, 0);
  const marks: number[] = [];
  for (let at = midnight.getTime() + Math.ceil((begin - midnight.getTime()) / every) * every; at <= end && marks.length <= most; at += every) marks.push(at);
  return marks;
}
